// Messages that nobody sends, by number: ROUTER_NOTIFY (97), HELLO_MSG (110), DISCONNECT_MSG (111), HICCUP_MSG (114).

const [NOTIFY, HELLO, DISCONNECT, HICCUP] = [97, 110, 111, 114];

/** libzmq lets go of an address some time after the socket has been closed, and tells nobody: so this tries again. */
async function bindAgain(/** @type {any} */ socket, /** @type {string} */ endpoint) {
  for (;;) {
    try {
      return await socket.bind(endpoint);
    } catch (error) {
      if (/** @type {any} */ (error).code !== "EADDRINUSE") throw error;
      // By the clock: libzmq lets go of an address in a thread of its own, and tells nobody.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/** @param {any} zmq @param {(line: string) => void} print */
export default async function (zmq, print) {
  const text = (/** @type {any} */ part) => {
    if (!Buffer.isBuffer(part)) return "(peer)";
    return part.length === 5 && part[0] === 0 ? "(name)" : part.toString("latin1");
  };
  const next = async (/** @type {any} */ socket) => JSON.stringify((await socket.receive()).map(text));
  const create = (/** @type {string} */ type, /** @type {string} */ name) => {
    const socket = new zmq[type]({ linger: 0, reconnectInterval: 10 });
    if (["Dealer", "Router"].includes(type)) socket.receiveTimeout = 20_000;
    for (const [id, what] of /** @type {[number, string][]} */ ([
      [HELLO, "hello"],
      [DISCONNECT, "gone"],
      [HICCUP, "hiccup"],
    ])) {
      socket.setStringOption(id, `${what} of ${name}`);
    }
    return socket;
  };

  print("who takes what");
  for (const type of [
    "Pair",
    "Publisher",
    "XSubscriber",
    "Push",
    "Request",
    "Reply",
    "Dealer",
    "Router",
    "Stream",
  ]) {
    const socket = create(type, "none");
    const lines = [];
    for (const value of [0, 3, 4, -1]) {
      try {
        socket.setInt32Option(NOTIFY, value);
        lines.push("set");
      } catch (error) {
        lines.push(/** @type {any} */ (error).code);
      }
    }
    lines.push(socket.getInt32Option(NOTIFY));
    for (const id of [HELLO, DISCONNECT, HICCUP]) {
      socket.setStringOption(id, null);
      try {
        lines.push(socket.getStringOption(id));
      } catch (error) {
        lines.push(/** @type {any} */ (error).code);
      }
    }
    print(`${type}: ${lines.join(" ")}`);
    socket.close();
  }

  let names = 0;
  for (const [binding, dialling] of [
    ["Router", "Dealer"],
    ["Dealer", "Router"],
    ["Router", "Router"],
    ["Dealer", "Dealer"],
  ]) {
    for (const transport of ["tcp", "inproc"]) {
      print(`${dialling} dials ${binding} over ${transport}`);
      const [one, two] = [create(binding, "the binding"), create(dialling, "the dialling")];
      if (binding === "Router") one.setInt32Option(NOTIFY, 3);
      if (dialling === "Router" && transport === "tcp") two.setInt32Option(NOTIFY, 1);
      await one.bind(transport === "tcp" ? "tcp://127.0.0.1:*" : `inproc://notices-${names++}`);
      two.connect(one.lastEndpoint);
      if (dialling === "Dealer") await two.send("said");
      if (binding === "Router" && transport === "tcp") print(await next(one));
      print(await next(one));
      if (dialling === "Dealer") print(await next(one));
      if (dialling === "Router" && transport === "tcp") print(await next(two));
      print(await next(two));
      two.close();
      if (binding === "Router") {
        print(await next(one));
        if (transport === "tcp") print(await next(one));
      }
      one.close();
    }
  }

  print("a connection that is made again");
  for (const type of ["Dealer", "Router"]) {
    const two = create(type, "the dialling");
    if (type === "Router") two.setInt32Option(NOTIFY, 3);
    const first = create("Dealer", "the first");
    await first.bind("tcp://127.0.0.1:*");
    const endpoint = first.lastEndpoint;
    two.connect(endpoint);
    print(await next(first));
    if (type === "Router") print(await next(two));
    print(await next(two));
    first.close();
    print(await next(two));
    const second = create("Dealer", "the second");
    await bindAgain(second, endpoint);
    print(await next(second));
    if (type === "Router") print(await next(two));
    print(await next(two));
    for (const socket of [second, two]) socket.close();
  }

  print("none, and too late");
  const [router, dealer] = [create("Router", "the binding"), create("Dealer", "the dialling")];
  router.setStringOption(HELLO, null);
  dealer.setStringOption(HELLO, "");
  await router.bind("tcp://127.0.0.1:*");
  router.setInt32Option(NOTIFY, 3);
  router.setStringOption(HELLO, "late");
  router.setStringOption(DISCONNECT, "late");
  dealer.connect(router.lastEndpoint);
  await dealer.send("first");
  const [name, part] = await router.receive();
  print(text(part));
  await router.send([name, "answer"]);
  print(await next(dealer));
  dealer.close();
  print(await next(router));
  router.close();

  print("a greeted Dealer of a Reply");
  const [reply, asking] = [create("Reply", "the reply"), create("Dealer", "the asking")];
  asking.setStringOption(HELLO, null); // no request: what libzmq does with it depends on when it comes
  await reply.bind("tcp://127.0.0.1:*");
  asking.connect(reply.lastEndpoint);
  print(await next(asking));
  await asking.send(["", "question"]);
  print(await next(reply));
  await reply.send("answer");
  print(await next(asking));
  reply.close();
  asking.close();
}
