// Publishers and subscribers that know only a broker between them: XSubscriber and XPublisher joined by a Proxy; then a
// queue of Router and Dealer joined by another.

/** @param {typeof import("zeromq")} zmq @param {(line: string) => void} print */
export default async function (zmq, print) {
  const proxy = new zmq.Proxy(new zmq.XSubscriber(), new zmq.XPublisher());
  await proxy.frontEnd.bind("tcp://127.0.0.1:*");
  await proxy.backEnd.bind("tcp://127.0.0.1:*");
  const [inward, outward] = [proxy.frontEnd.lastEndpoint ?? "", proxy.backEnd.lastEndpoint ?? ""];
  const running = proxy.run();
  print(`closed while it runs: ${proxy.frontEnd.closed} ${proxy.backEnd.closed}`);

  const publishers = [new zmq.XPublisher(), new zmq.XPublisher()];
  for (const publisher of publishers) publisher.connect(inward);
  const subscriber = new zmq.Subscriber();
  subscriber.connect(outward);
  subscriber.subscribe("news");
  // The subscription travels through the broker to both.
  for (const publisher of publishers) {
    const [request] = await publisher.receive();
    print(`subscription ${request[0]} ${request.subarray(1)}`);
  }
  for (const [index, publisher] of publishers.entries()) {
    await publisher.send(["weather", "lost"]);
    await publisher.send(["news", `from ${index}`]);
    print((await subscriber.receive()).join(" "));
  }
  proxy.terminate();
  await running;
  print(`closed at the end: ${proxy.frontEnd.closed} ${proxy.backEnd.closed}`);
  for (const socket of [...publishers, subscriber]) socket.close();

  const queue = new zmq.Proxy(new zmq.Router(), new zmq.Dealer());
  await queue.frontEnd.bind("tcp://127.0.0.1:*");
  await queue.backEnd.bind("tcp://127.0.0.1:*");
  const [front, back] = [queue.frontEnd.lastEndpoint ?? "", queue.backEnd.lastEndpoint ?? ""];
  const queueing = queue.run();
  const workers = [1, 2].map(() => {
    const worker = new zmq.Reply();
    worker.connect(back);
    (async () => {
      for await (const [text] of worker) await worker.send(`${text}!`);
    })();
    return worker;
  });
  const client = new zmq.Request();
  client.connect(front);
  for (const word of ["one", "two", "three", "four"]) {
    await client.send(word);
    print(String((await client.receive())[0]));
  }
  client.close();
  for (const worker of workers) worker.close();
  queue.terminate();
  await queueing;
  print("queue ended");
}
