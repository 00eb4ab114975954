// What goes by number only and has to do with connections: RECONNECT_STOP (109), PRIORITY (112) and BUSY_POLL (113).
import { createServer } from "node:net";

/** @param {any} zmq @param {(line: string) => void} print */
export default async function (zmq, print) {
  const answer = (/** @type {() => unknown} */ call) => {
    try {
      return String(call());
    } catch (/** @type {any} */ error) {
      return error.code;
    }
  };
  const one = new zmq.Push({ linger: 0 });
  for (const id of [109, 112, 113])
    for (const value of [0, 1, 3, 4, 7, 8, -1]) {
      const set = answer(() => one.setInt32Option(id, value));
      print(`${id} = ${value}: ${set} ${answer(() => one.getInt32Option(id))}`);
    }
  one.close();

  // The portable engine cannot do these, and says so when binding: nothing to compare there.
  for (const id of process.env.ZWIRE_ENGINE === "portable" ? [] : [112, 113]) {
    const [pull, push] = [new zmq.Pull(), new zmq.Push({ linger: 0 })];
    for (const socket of [pull, push]) socket.setInt32Option(id, 3);
    await pull.bind("tcp://127.0.0.1:*");
    push.connect(pull.lastEndpoint);
    await push.send("x");
    print(`${id}: ${await pull.receive()}`);
    pull.close();
    push.close();
  }

  /** @returns the first events of a dial, up to the third attempt or the end */
  const dial = async (/** @type {number} */ bits, /** @type {string} */ address) => {
    const push = new zmq.Push({ linger: 0, reconnectInterval: 10, handshakeInterval: 100 });
    push.setInt32Option(109, bits);
    let attempts = 0;
    const settled = new Promise((resolve) => {
      push.events.on("connect:delay", () => ++attempts === 3 && resolve(0));
      // Nothing tells that libzmq has given up: far longer than an interval.
      setTimeout(resolve, 600);
    });
    push.connect(address);
    await settled;
    print(`${bits}: ${attempts} attempts`);
    if (bits === 1) print(answer(() => push.disconnect(address)));
    push.close();
  };
  const holder = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => holder.once("listening", resolve));
  const { port } = /** @type {any} */ (holder.address());
  await new Promise((resolve) => holder.close(resolve));
  for (const bits of [0, 1, 2]) await dial(bits, `tcp://127.0.0.1:${port}`);
  for (const [title, serve] of /** @type {[string, (peer: any) => void][]} */ ([
    ["closes", (peer) => peer.destroy()],
    ["is silent", () => {}],
  ])) {
    print(`a peer that ${title}`);
    const server = createServer((peer) => {
      peer.on("error", () => {});
      serve(peer);
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    for (const bits of [0, 2])
      await dial(bits, `tcp://127.0.0.1:${/** @type {any} */ (server.address()).port}`);
    server.close();
  }
}
