// What has to do with subscriptions and goes by number only: XPUB_MANUAL_LAST_VALUE (98), ONLY_FIRST_SUBSCRIBE (108),
// XSUB_VERBOSE_UNSUBSCRIBE (115) and TOPICS_COUNT (116); who is told what with `manual`; what is queued and not wanted.

/** @param {any} zmq @param {(line: string) => void} print */
export default async function (zmq, print) {
  const text = async (/** @type {any} */ socket) =>
    JSON.stringify((await socket.receive()).map((/** @type {Buffer} */ part) => part.toString("latin1")));
  const pair = async (/** @type {any} */ publisher, /** @type {any} */ subscriber) => {
    await publisher.bind("tcp://127.0.0.1:*");
    subscriber.connect(publisher.lastEndpoint);
  };
  const close = (/** @type {any[]} */ ...sockets) => {
    for (const socket of sockets) socket.close();
  };

  print("ONLY_FIRST_SUBSCRIBE");
  for (const only of [undefined, false, true]) {
    const [publisher, subscriber] = [new zmq.XPublisher(), new zmq.XSubscriber()];
    if (only !== undefined) for (const one of [publisher, subscriber]) one.setBoolOption(108, only);
    await pair(publisher, subscriber);
    for (const [parts, told] of /** @type {[string[], number][]} */ ([
      [["\x01A", "more"], 2],
      [["data", "\x01B"], 1],
      [["\x01C", "\x01D"], 2],
      [["\x01E", "x", "\x00E", "y"], 3],
      [["d", "\x00D", "e"], only ? 1 : 2],
    ])) {
      await subscriber.send(parts);
      const lines = [];
      for (let i = 0; i < told; i++) lines.push(await text(publisher));
      print(`${JSON.stringify(parts)}: ${lines.join(" ")}, ${publisher.getInt32Option(116)} topics`);
    }
    close(publisher, subscriber);
  }

  print("XSUB_VERBOSE_UNSUBSCRIBE");
  for (const verbose of [false, true]) {
    const publisher = new zmq.XPublisher({ verbosity: "allSubsUnsubs" });
    const subscriber = new zmq.XSubscriber();
    subscriber.setBoolOption(115, verbose);
    await pair(publisher, subscriber);
    await subscriber.send("\x01begin");
    print(await text(publisher)); // connected
    for (const one of ["\x01A", "\x01A", "\x00A", "\x00A", "\x00Z", "\x01end"]) await subscriber.send(one);
    for (let line = ""; line !== '["\\u0001end"]'; print(line)) line = await text(publisher);
    close(publisher, subscriber);
  }

  print("XPUB_MANUAL, XPUB_MANUAL_LAST_VALUE, TOPICS_COUNT");
  for (const option of [71, 98]) {
    const publisher = new zmq.XPublisher();
    publisher.setBoolOption(option, true);
    const [a, b] = [new zmq.Subscriber(), new zmq.Subscriber()];
    await pair(publisher, a);
    b.connect(publisher.lastEndpoint);
    for (const one of [a, b]) {
      one.subscribe("T");
      print(`told ${await text(publisher)}`);
      publisher.setStringOption(6, "T");
      await publisher.send(["T", "after a subscription"]);
      publisher.setStringOption(6, "U");
    }
    print(`${publisher.getInt32Option(116)} topics`);
    for (const topic of ["U", "T"]) await publisher.send([topic, "to all"]);
    for (const [name, one] of /** @type {[string, any][]} */ (Object.entries({ a, b })))
      for (let line = ""; line !== '["T","to all"]'; print(`${name} ${line}`)) line = await text(one);
    b.subscribe("V");
    print(`told ${await text(publisher)}`);
    b.unsubscribe("V");
    print(`told ${await text(publisher)}`);
    a.close(); // the other has it, too
    print(`told ${await text(publisher)}`);
    publisher.setBoolOption(option, false);
    try {
      publisher.setStringOption(6, "W");
    } catch (error) {
      print(/** @type {any} */ (error).code);
    }
    close(publisher, b);
  }

  print("TOPICS_COUNT and who has which option");
  const subscriber = new zmq.Subscriber();
  subscriber.subscribe("x", "xy", "x");
  print(`${subscriber.getInt32Option(116)}`);
  subscriber.unsubscribe("x");
  subscriber.unsubscribe("never");
  print(`${subscriber.getInt32Option(116)}`);
  for (const [type, id, value] of /** @type {[string, number, number][]} */ ([
    ...["Publisher", "Subscriber", "XPublisher", "XSubscriber", "Push"].map((type) => [type, 116, 1]),
    ...["Subscriber", "XPublisher", "XSubscriber", "Push"].flatMap((type) =>
      [98, 108, 115].flatMap((id) => [1, 3, -1].map((value) => [type, id, value])),
    ),
  ])) {
    const socket = new zmq[type]();
    const outcome = (/** @type {() => unknown} */ call) => {
      try {
        return call() ?? "done";
      } catch (error) {
        return /** @type {any} */ (error).code;
      }
    };
    print(
      `${type} ${id} = ${value}: ${outcome(() => socket.setInt32Option(id, value))}, read: ${outcome(() => socket.getInt32Option(id))}`,
    );
    socket.close();
  }
  subscriber.close();

  print("what is queued and not wanted any more");
  for (const type of ["Subscriber", "XSubscriber"]) {
    const publisher = new zmq.Publisher();
    const one = new zmq[type]();
    const subscribe = (/** @type {string} */ topic) =>
      type === "XSubscriber" ? one.send(`\x01${topic}`) : one.subscribe(topic);
    await pair(publisher, one);
    await subscribe("T");
    await subscribe("end");
    let sent = 0;
    while (publisher.getInt32Option(116) < 2) await publisher.send(`nobody's ${sent++}`);
    for (let i = 0; i < 3; i++) await publisher.send(`T${i}`);
    await publisher.send("end");
    // By the clock: all is to be there, and neither library tells how much is.
    await new Promise((resolve) => setTimeout(resolve, 200));
    if (type === "XSubscriber") await one.send("\x00T");
    else one.unsubscribe("T");
    for (let line = ""; line !== '["end"]'; print(`${type} ${line}`)) line = await text(one);
    close(publisher, one);
  }
}
