// Least-recently-used routing: workers say that they are ready, the broker sends each request to the one that waits longest.

/** @param {typeof import("zeromq")} zmq @param {(line: string) => void} print */
export default async function (zmq, print) {
  const [front, back] = [new zmq.Router(), new zmq.Router()];
  await front.bind("tcp://127.0.0.1:*");
  await back.bind("tcp://127.0.0.1:*");

  /** @type {Buffer[]} */
  const idle = [];
  /** @type {(() => void)[]} */
  const wanting = [];
  const worker = async () => {
    while (idle.length === 0) await new Promise((resolve) => wanting.push(() => resolve(undefined)));
    return /** @type {Buffer} */ (idle.shift());
  };
  const answering = (async () => {
    for await (const [id, , client, ...rest] of back) {
      idle.push(id);
      wanting.shift()?.();
      if (client.toString() !== "READY") await front.send([client, ...rest]);
    }
  })();
  const asking = (async () => {
    for await (const [client, ...rest] of front) await back.send([await worker(), "", client, ...rest]);
  })();

  const handled = new Map();
  const sockets = ["w1", "w2", "w3"].map((name) => {
    const socket = new zmq.Request({ routingId: name });
    socket.connect(back.lastEndpoint ?? "");
    (async () => {
      await socket.send("READY");
      for await (const [client, empty, text] of socket) {
        handled.set(name, (handled.get(name) ?? 0) + 1);
        await socket.send([client, empty, `${text} done`]);
      }
    })();
    return socket;
  });

  const clients = await Promise.all(
    ["x", "y"].map(async (name) => {
      const client = new zmq.Request();
      client.connect(front.lastEndpoint ?? "");
      const answers = [];
      for (let i = 0; i < 6; i++) {
        await client.send(`${name}${i}`);
        answers.push(String((await client.receive())[0]));
      }
      client.close();
      return answers.join(", ");
    }),
  );
  for (const line of clients) print(line);
  const counts = [...handled.values()];
  print(
    `${handled.size} workers, ${counts.reduce((a, b) => a + b, 0)} requests, all busy ${counts.every((n) => n > 1)}`,
  );
  for (const socket of [...sockets, front, back]) socket.close();
  await Promise.all([answering, asking]);
}
