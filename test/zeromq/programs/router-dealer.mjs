// An asynchronous server: a Router behind which workers answer out of order, Dealers that have several requests under way.

/** @param {typeof import("zeromq")} zmq @param {(line: string) => void} print */
export default async function (zmq, print) {
  const front = new zmq.Router();
  await front.bind("tcp://127.0.0.1:*");
  const endpoint = front.lastEndpoint ?? "";

  const clients = ["ada", "bob", "cyd"].map((name) => {
    const socket = new zmq.Dealer({ routingId: name });
    socket.connect(endpoint);
    return { name, socket };
  });
  await Promise.all(
    clients.map(async ({ name, socket }) => {
      for (let i = 0; i < 4; i++) await socket.send([`${i}`, `${name} asks ${i}`]);
    }),
  );

  // All twelve are read before the first is answered, and the answers go in reverse.
  const requests = [];
  for await (const [client, id, text] of front) {
    requests.push({ client, id, text });
    if (requests.length === 12) break;
  }
  for (const { client, id, text } of requests.reverse()) {
    await front.send([client, id, text.toString().toUpperCase()]);
  }

  for (const { name, socket } of clients) {
    const answers = [];
    while (answers.length < 4) {
      const [id, text] = await socket.receive();
      answers.push(`${id}=${text}`);
    }
    print(`${name}: ${answers.join(", ")}`);
    socket.close();
  }

  // A Dealer talks to a Reply with an empty delimiter of its own.
  const reply = new zmq.Reply();
  await reply.bind("tcp://127.0.0.1:*");
  const dealer = new zmq.Dealer();
  dealer.connect(reply.lastEndpoint ?? "");
  await dealer.send(["", "hello"]);
  const asked = await reply.receive();
  print(`reply saw ${asked.length} part: ${asked}`);
  await reply.send("world");
  const answer = await dealer.receive();
  print(`dealer saw ${answer.length} parts, the first of ${answer[0].length} octets: ${answer[1]}`);
  for (const socket of [front, reply, dealer]) socket.close();
}
