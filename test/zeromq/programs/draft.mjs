// The draft types: thread-safe cousins of Router and Dealer, Radio and Dish, Scatter and Gather.

/** @param {typeof import("zeromq")} zmq @param {(line: string) => void} print @param {typeof import("zeromq/draft")} draft */
export default async function (zmq, print, draft) {
  const server = new draft.Server();
  await server.bind("tcp://127.0.0.1:*");
  const clients = [new draft.Client(), new draft.Client()];
  for (const [i, client] of clients.entries()) {
    client.connect(server.lastEndpoint ?? "");
    await client.send(`client ${i}`);
    const [text, { routingId }] = await server.receive();
    await server.send(`hello ${text}`, { routingId });
    print(String((await client.receive())[0]));
  }
  await clients[0]
    .send(/** @type {any} */ (["two", "parts"]))
    .catch((error) => print(`${error.code} ${error.message}`));
  await server.send("x", { routingId: 1 }).catch((error) => print(`${error.code} ${error.message}`));

  const gather = new draft.Gather();
  await gather.bind("tcp://127.0.0.1:*");
  const scatter = new draft.Scatter();
  scatter.connect(gather.lastEndpoint ?? "");
  for (let i = 0; i < 3; i++) await scatter.send(`piece ${i}`);
  for (let i = 0; i < 3; i++) print(String((await gather.receive())[0]));

  const radio = new draft.Radio();
  await radio.bind("tcp://127.0.0.1:*");
  const dish = new draft.Dish();
  dish.connect(radio.lastEndpoint ?? "");
  dish.join("music", "talk");
  dish.leave("talk");
  // A Radio drops what nobody has joined yet: repeat until it arrives.
  const ticking = setInterval(() => {
    radio.send("words", { group: "talk" });
    radio.send("song", { group: "music" });
  }, 10);
  const [message, { group }] = await dish.receive();
  clearInterval(ticking);
  print(`${group}: ${message}`);
  for (const socket of [server, ...clients, gather, scatter, radio, dish]) socket.close();
  print(`draft ${zmq.capability.draft}`);
}
