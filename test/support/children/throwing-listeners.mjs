/**
 * A pair of sockets whose event listeners all throw. What they throw must reach uncaughtException, and messages must
 * flow all the same. Ends by itself.
 */
import { Pull, Push, say } from "./zwire.mjs";

const EVENTS = ["bind", "accept", "connect:delay", "connect", "handshake", "disconnect", "close", "end"];
const caught = [];
process.on("uncaughtException", (error) => caught.push(error.message));

const [push, pull] = [new Push(), new Pull()];
for (const [name, socket] of Object.entries({ push, pull })) {
  for (const event of EVENTS) {
    socket.on(event, () => {
      throw new Error(`${name} ${event}`);
    });
  }
}
push.connect(await pull.bind(process.argv[2]));
await push.send("through");
const [part] = await pull.receive({ timeout: 10_000 });
say({ received: String(part) });
await pull.close();
await push.close({ linger: 0 });
setImmediate(() => say({ caught: [...new Set(caught)].sort() }));
