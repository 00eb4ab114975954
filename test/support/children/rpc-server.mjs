/**
 * A server to be killed: says where it listens, and who it is when called.
 */
import { serve } from "../../../dist/rpc.js";

const server = await serve(process.argv[2] ?? "tcp://127.0.0.1:*", {
  pid: () => process.pid,
  never: () => new Promise(() => {}),
  *count() {
    for (let i = 0; ; i++) yield i;
  },
  later: (milliseconds) => new Promise((resolve) => setTimeout(() => resolve(milliseconds), milliseconds)),
  /** Blocks the event loop. */
  block(milliseconds) {
    const end = Date.now() + milliseconds;
    while (Date.now() < end);
    return milliseconds;
  },
});
console.log(JSON.stringify({ endpoint: server.endpoint }));
