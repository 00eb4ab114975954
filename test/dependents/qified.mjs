/**
 * @qified/zeromq, the adapter of qified: what is published on a topic reaches its handler, and nothing else does.
 * Run in a folder where it is installed: see scripts/dependents.mjs.
 */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { ZmqMessageProvider } from "@qified/zeromq";
import { Publisher } from "zeromq";

// The adapter cannot tell which port it got, so it is given one that was free a moment ago.
const probe = new Publisher();
await probe.bind("tcp://127.0.0.1:*");
const uri = probe.lastEndpoint;
await probe.unbind(uri);
probe.close();

const provider = new ZmqMessageProvider({ uri, id: "test" });
const came = [];
await provider.subscribe("wanted", { id: "handler", handler: async (message) => came.push(message) });
// It does not say when it has joined: what is published before is lost, with any library.
while (came.length === 0) {
  await provider.publish("unwanted", { id: "2", data: {} });
  await provider.publish("wanted", { id: "1", data: { text: "hello" } });
  await delay(10);
}
for (const message of came)
  assert.deepEqual(message, { id: "1", data: { text: "hello" }, providerId: "test" });
await provider.disconnect();
