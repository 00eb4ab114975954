// Radio and Dish over udp, and Datagram beside a plain udp socket.
import { createSocket } from "node:dgram";

/** @param {typeof import("zeromq")} _zmq @param {(line: string) => void} print @param {typeof import("zeromq/draft")} draft */
export default async function (_zmq, print, draft) {
  /** A port that is free: zeromq.js cannot tell which one it has chosen. @type {() => Promise<string>} */
  const free = () =>
    new Promise((found) => {
      const probe = createSocket("udp4").bind(0, "127.0.0.1", () => {
        const { port } = probe.address();
        probe.close(() => found(`udp://127.0.0.1:${port}`));
      });
    });
  const plain = createSocket("udp4");
  await new Promise((bound) => plain.bind(0, "127.0.0.1", () => bound(undefined)));

  // As zeromq.js's own test does: the Dish binds, the Radio connects.
  const [radio, dish] = [new draft.Radio(), new draft.Dish()];
  const group = Buffer.from("f6461f03d20dc866e55ff5a16562b2", "hex");
  dish.join(group, "talk");
  dish.leave("talk");
  const here = await free();
  await dish.bind(here);
  radio.connect(here);
  await new Promise((opened) => setTimeout(opened, 200)); // by the clock: libzmq opens it in a thread of its own
  for (const text of ["foo", "bar", "baz", "qux"]) {
    await radio.send("unheard", { group: "talk" });
    await radio.send(text, { group });
  }
  for (let i = 0; i < 4; i++) {
    const [message, of] = await dish.receive();
    print(`${of.group.toString("hex")}: ${message}`);
  }

  const datagram = new draft.Datagram();
  const there = await free();
  await datagram.bind(there);
  const echo = (async () => {
    for await (const [id, message] of datagram) await datagram.send([id, message]);
  })();
  await new Promise((opened) => setTimeout(opened, 200)); // by the clock: the same
  for (const text of ["foo", "", "qux"]) {
    const answer = new Promise((arrived) => plain.once("message", (bytes) => arrived(String(bytes))));
    plain.send(text, Number(there.split(":")[2]), "127.0.0.1");
    print(`echo: ${await answer}`);
  }
  datagram.close();
  await echo.catch((error) => print(error.code));

  const other = new draft.Datagram({ sendTimeout: 50 });
  const attempts = [
    () => other.send(["127.0.0.1:9", "not bound"]),
    async () => other.connect("udp://127.0.0.1:5555"),
    async () => dish.connect("udp://127.0.0.1:5555"),
    () => radio.bind("udp://127.0.0.1:5555"),
    () => other.bind("udp://nosuch9;239.0.0.1:5555"),
    () => other.bind("udp://127.0.0.1;127.0.0.1:5555"),
    () => other.bind("udp://127.0.0.1"),
    async () => radio.connect("udp://*:5555"),
    async () => print(String(other.lastEndpoint)),
    async () => other.bind(await free()),
    () => other.send(/** @type {any} */ ("one part")),
    () => other.send(/** @type {any} */ (["127.0.0.1:9", "three", "parts"])),
  ];
  for (const attempt of attempts)
    await attempt().catch((error) => print(`${error.code} ${error.errno} ${error.message}`));
  print(`${other.type} ${other.threadSafe} ${other.multicastHops}`);
  other.multicastHops = 5;
  print(String(other.multicastHops));
  for (const socket of [radio, dish, other]) socket.close();
  plain.close();
}
