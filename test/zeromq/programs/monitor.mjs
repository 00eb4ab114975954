// What happens to the connections of a socket, read as events and listened to.

/** @param {typeof import("zeromq")} zmq @param {(line: string) => void} print */
export default async function (zmq, print) {
  const server = new zmq.Reply();
  /** @type {{ type: string; address?: string }[]} */
  const log = [];
  const monitoring = (async () => {
    for await (const event of server.events) {
      log.push({ type: event.type, address: "address" in event ? event.address : undefined });
      if (event.type === "disconnect") server.close();
    }
    return "no more events";
  })();
  await server.bind("tcp://127.0.0.1:*");
  const endpoint = server.lastEndpoint ?? "";

  const client = new zmq.Request({ linger: 0 });
  const shaken = new Promise((resolve) => client.events.on("handshake", (event) => resolve(event.address)));
  const ended = new Promise((resolve) => client.events.on("end", () => resolve("client: end")));
  client.connect(endpoint);
  print(`client: handshake with the server ${(await shaken) === endpoint}`);
  await client.send("hello");
  await server.receive();
  await server.send("bye");
  print(String(await client.receive()));
  client.close();
  print(String(await ended));
  print(await monitoring);
  for (const { type, address } of log) print(`${type} ${address === endpoint}`);

  // A connection that nobody answers is tried again.
  const lonely = new zmq.Push({ linger: 0, reconnectInterval: 10 });
  const retries = [];
  lonely.connect(endpoint);
  for await (const event of lonely.events) {
    if (event.type !== "connect:retry") continue;
    retries.push(event.interval > 0);
    if (retries.length === 2) break;
  }
  print(`retries ${retries}`);
  lonely.close();
}
