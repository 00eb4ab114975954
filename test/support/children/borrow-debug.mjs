/** Keeps a part of a borrowed message, and forgets to give another message back, with NODE_DEBUG=zwire-borrow. */
import { Pull, Push, say } from "./zwire.mjs";

const pull = new Pull();
const push = new Push();
push.connect(await pull.bind("tcp://127.0.0.1:*"));
await push.send(Buffer.alloc(100_000, 1));
const message = await pull.borrow();
const [kept] = message;
const before = kept.length;
message.release();
say({ event: "kept", before, after: kept.length });

async function forget() {
  await push.send(Buffer.alloc(100_000, 2));
  const [part] = await pull.borrow();
  return part[0];
}
await forget();
for (let i = 0; i < 20; i++) {
  globalThis.gc();
  await new Promise((resolve) => setImmediate(resolve));
}
await push.close();
await pull.close();
