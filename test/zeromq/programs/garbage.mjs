// What nobody refers to is collected: contexts, observers, proxies, and sockets that wait for nothing. A socket keeps its context.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** @param {any} zmq @param {(line: string) => void} print */
export default async function (zmq, print) {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  const gone = async (/** @type {WeakRef<any>[]} */ references) => {
    const alive = () => references.filter((one) => one.deref() !== undefined).length;
    for (let round = 0; round < 50 && alive() > 0; round++) {
      await new Promise((resolve) => setImmediate(resolve));
      collect();
    }
    return alive() === 0;
  };
  const makers = {
    socket: () => new zmq.Push(),
    context: () => new zmq.Context(),
    "socket of a context": () => new zmq.Push({ context: new zmq.Context() }),
    "its context": () => new zmq.Push({ context: new zmq.Context() }).context,
    observer: () => new zmq.Push().events,
    proxy: () => new zmq.Proxy(new zmq.Push(), new zmq.Pull()),
  };
  for (const [title, make] of Object.entries(makers)) {
    const references = Array.from({ length: 5 }, () => new WeakRef(make()));
    print(`${title}: ${await gone(references)}`);
  }
  const reference = new WeakRef(new zmq.Context());
  const socket = new zmq.Push({ context: reference.deref() });
  await gone([reference]);
  print(`held: ${socket.context === reference.deref()} ${socket.context instanceof zmq.Context}`);
  socket.close();
}
