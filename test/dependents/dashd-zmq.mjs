/**
 * @dashevo/dashd-zmq: a hash that a publisher sends is emitted; the client disconnects, and gives up on a dead port
 * (it does so by `unbind` of what it connected). It listens for events only after it has connected, so that over libzmq,
 * whose thread may be faster, it often waits for ever here. Run in a folder where it is installed: see scripts/dependents.mjs.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import DashClient from "@dashevo/dashd-zmq";
import { XPublisher } from "zeromq";

const publisher = new XPublisher();
await publisher.bind("tcp://127.0.0.1:*");

const client = new DashClient({ uri: publisher.lastEndpoint });
await client.connect();
assert.equal(client.isConnected, true);
const emitted = once(client, "hashblock");
client.subscribe("hashblock");
assert.equal(String(await publisher.receive()), "\x01hashblock"); // it is known: nothing sent from here on is lost
const hash = Buffer.from("00c0ffee".repeat(8), "hex");
await publisher.send(["hashblock", hash, Buffer.alloc(4)]);
assert.deepEqual(await emitted, [hash.toString("hex")]);

await client.disconnect();
assert.equal(client.isConnected, false);
assert.equal(await client.close(), true);
publisher.close();

const server = createServer().listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address();
server.close();
await once(server, "close");
const hopeless = new DashClient({ uri: `tcp://127.0.0.1:${port}` });
await assert.rejects(hopeless.connect({ maxRetries: 2 }), /Max retries exceeded/);
