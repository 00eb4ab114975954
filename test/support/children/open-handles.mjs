/** What async_hooks sees of our sockets while they are open, and once they are closed. Prints {"open":[…],"closed":[…]}. */
import { createHook } from "node:async_hooks";
import { setImmediate as turn } from "node:timers/promises";

const resources = [];
createHook({
  init(_id, type, _trigger, resource) {
    if (type === "zwire") resources.push(resource);
  },
}).enable();
const { Pull, Push } = await import("../../../dist/index.js");
const [push, pull] = [new Push(), new Pull()];
push.connect(await pull.bind("tcp://127.0.0.1:*"));
await push.send("x");
await pull.receive();
const active = () => resources.map((resource) => resource.hasRef());
const open = active();
await Promise.all([push.close(), pull.close()]);
for (let i = 0; i < 1000 && active().includes(true); i++) await turn();
console.log(JSON.stringify({ open, closed: active() }));
