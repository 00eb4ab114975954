// What fails, how, and that nothing is lost by it.

/** @param {typeof import("zeromq")} zmq @param {(line: string) => void} print */
export default async function (zmq, print) {
  /** @param {string} title @param {() => unknown} act */
  const attempt = async (title, act) => {
    try {
      await act();
      print(`${title}: done`);
    } catch (error) {
      const { code, message, errno, address } = /** @type {NodeJS.ErrnoException & { address?: string }} */ (
        error
      );
      print(`${title}: ${code} ${message} ${errno} ${address ?? "-"}`);
    }
  };

  const push = new zmq.Push({ sendTimeout: 30, linger: 0 });
  const pull = new zmq.Pull({ receiveTimeout: 30 });
  await attempt("send to nobody", () => push.send("x"));
  await attempt("receive from nobody", () => pull.receive());
  pull.receiveTimeout = 0;
  await attempt("receive at once", () => pull.receive());
  await attempt("unknown scheme", () => push.connect("foo://bar"));
  await attempt("no address", () => push.connect("tcp://"));
  await attempt("never connected", () => push.disconnect("tcp://127.0.0.1:9"));
  await attempt("never bound", () => pull.unbind("tcp://127.0.0.1:9"));
  await pull.bind("inproc://timeouts");
  const second = new zmq.Pull();
  await attempt("taken name", () => second.bind("inproc://timeouts"));

  push.connect("inproc://timeouts");
  pull.receiveTimeout = 500;
  await attempt("send now", () => push.send("x"));
  print(String(await pull.receive()));

  const request = new zmq.Request({ sendTimeout: 20, receiveTimeout: 20, linger: 0 });
  await attempt("reply before request", () => request.receive());
  const waiting = second.receive();
  const waited = attempt("closed while it waits", () => waiting);
  second.close();
  await waited;
  await attempt("receive when closed", () => second.receive());
  await attempt("send when closed", () => {
    push.close();
    return push.send("x");
  });
  await attempt("bind when closed", () => push.bind("tcp://127.0.0.1:*"));
  request.close();
  pull.close();
}
