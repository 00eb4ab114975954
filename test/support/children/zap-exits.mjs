/**
 * A program with a ZAP handler and a client that is let in by it; closes its sockets and says nothing of anything else.
 */
import { Pull, Push, Reply } from "./zwire.mjs";

const handler = new Reply();
await handler.bind("inproc://zeromq.zap.01");
const pull = new Pull({ plainServer: true });
const push = new Push({ plainUsername: "ann", plainPassword: "word" });
push.connect(await pull.bind("tcp://127.0.0.1:*"));
const [, id] = await handler.receive();
await handler.send(["1.0", id, "200", "", "", ""]);
await push.send("let in");
console.log(`${await pull.receive()}`);
await Promise.all([handler, pull, push].map((socket) => socket.close()));
