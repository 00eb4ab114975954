/** Questions about contexts, about the events of sockets, and about proxies. */
import { ask, becomes, closing, eventual, label, outcome } from "./asking.mjs";

// Context

ask("Context", ({ zmq }) => {
  const answers = {};
  const context = new zmq.Context();
  answers.read = [
    "ioThreads",
    "maxSockets",
    "maxSocketsLimit",
    "threadPriority",
    "threadSchedulingPolicy",
    "maxMessageSize",
    "ipv6",
    "blocky",
  ].map((key) => [key, outcome(() => context[key])]);
  answers.sealed = [Reflect.ownKeys(context), Object.isSealed(context)];
  answers.make = Object.fromEntries(
    Object.entries({
      none: [],
      undefined: [undefined],
      null: [null],
      text: ["x"],
      two: [{}, {}],
      unknown: [{ foo: 1 }],
      ioThreads: [{ ioThreads: 3 }],
      ioThreads0: [{ ioThreads: 0 }],
      negative: [{ ioThreads: -1 }],
      maxSockets: [{ maxSockets: 5 }],
      maxSockets0: [{ maxSockets: 0 }],
      textual: [{ maxSockets: "x" }],
      limit: [{ maxSocketsLimit: 5 }],
      blocky: [{ blocky: false }],
      ipv6: [{ ipv6: true }],
      priority: [{ threadPriority: 1 }],
    }).map(([title, args]) => [
      title,
      outcome(() => {
        const made = new zmq.Context(...args);
        return [made.ioThreads, made.maxSockets, made.blocky, made.ipv6];
      }),
    ]),
  );
  answers.withoutNew = outcome(() => zmq.Context());
  answers.set = outcome(() => (context.foo = 1));
  answers.setOptions = [
    "ioThreads",
    "maxSockets",
    "maxMessageSize",
    "ipv6",
    "blocky",
    "threadPriority",
    "threadSchedulingPolicy",
    "maxSocketsLimit",
  ].map((key) => [
    key,
    [5, -1, "x", true, null, undefined, 1.5].map((value) => [
      label(value),
      outcome(() => {
        const one = new zmq.Context();
        one[key] = value;
        return one[key];
      }),
    ]),
  ]);
  answers.byNumber = [];
  for (const id of [0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 42, 43, 70, 71]) {
    answers.byNumber.push([
      id,
      outcome(() => context.getInt32Option(id)),
      outcome(() => context.getBoolOption(id)),
    ]);
  }
  answers.same = new zmq.Push().context === zmq.context;
  const own = new zmq.Push({ context });
  answers.own = own.context === context;
  own.close();
  return answers;
});
ask("defaults that a context gives", ({ zmq }) =>
  [{ blocky: false }, { ipv6: true }, { maxMessageSize: 5 }].map((options) => {
    const socket = new zmq.Push({ context: new zmq.Context(options) });
    return closing(socket, () => [socket.linger, socket.ipv6, socket.maxMessageSize]);
  }),
);
ask("more sockets than a context allows", ({ zmq }) => {
  const context = new zmq.Context({ maxSockets: 2 });
  const sockets = [];
  const answers = [0, 1, 2, 3].map(() =>
    outcome(() => {
      sockets.push(new zmq.Push({ context }));
      return "made";
    }),
  );
  for (const socket of sockets) socket.close();
  return answers;
});

// Observer

ask("Observer: arguments and states", async ({ zmq }) => {
  const socket = new zmq.Pull();
  const { events } = socket;
  const answers = { same: socket.events === events, closed: events.closed, kind: outcome(() => events) };
  const first = eventual(() => events.receive());
  answers.twice = await eventual(() => events.receive());
  socket.close();
  answers.first = await first;
  answers.after = [events.closed, await eventual(() => events.receive())];
  const iterated = new zmq.Pull();
  const seen = [];
  const iterating = (async () => {
    for await (const event of iterated.events) seen.push(event);
  })();
  iterated.close();
  await iterating;
  answers.iterated = seen;
  const other = new zmq.Pull();
  answers.emitter = [typeof other.events.on("foo", () => 0).on, typeof other.events.off("foo", () => 0).off];
  answers.listener = outcome(() => other.events.on("accept", 5));
  answers.receiveAfterOn = await eventual(() => other.events.receive());
  answers.iterateAfterOn = await eventual(async () => {
    for await (const _ of other.events) return 1;
  });
  answers.observer = outcome(() => new zmq.Observer());
  answers.observerOther = outcome(() => new zmq.Observer(5));
  const third = new zmq.Pull();
  const closed = third.events;
  answers.close = [
    outcome(() => closed.close()),
    closed.closed,
    third.closed,
    await eventual(() => closed.receive()),
  ];
  other.close();
  third.close();
  return answers;
});
ask("events of a tcp connection", async ({ zmq }) => {
  const log = { pull: [], push: [] };
  const pull = new zmq.Pull();
  const push = new zmq.Push({ linger: 0 });
  const shape = (event) =>
    Object.fromEntries(
      Object.entries(event).map(([key, value]) => [
        key,
        key === "address" ? value.replace(/\d{4,}/g, "N") : key === "error" ? value.message : value,
      ]),
    );
  const read = async (name, socket) => {
    for await (const event of socket.events) log[name].push(shape(event));
    log[name].push("over");
  };
  const done = [read("pull", pull), read("push", push)];
  const until = (name, type) => becomes(() => log[name].some((event) => event.type === type));
  await pull.bind("tcp://127.0.0.1:*");
  push.connect(pull.lastEndpoint);
  await until("push", "handshake");
  await until("pull", "handshake");
  push.close();
  await until("pull", "disconnect");
  pull.close();
  await Promise.all(done);
  return log;
});
for (const [title, answer] of Object.entries({
  400: (id) => ["1.0", id, "400", "who are you?", "", ""],
  500: (id) => ["1.0", id, "500", "no database", "", ""],
  "another version": (id) => ["2.0", id, "200", "", "", ""],
  "another request": () => ["1.0", "zz", "200", "", "", ""],
  "no status": (id) => ["1.0", id, "201", "", "", ""],
  "few frames": (id) => ["1.0", id, "200"],
  "bad metadata": (id) => ["1.0", id, "200", "", "", "x"],
  "another server key": null,
  "another mechanism": null,
})) {
  ask(`events of a handshake that fails: ${title}`, async ({ zmq }) => {
    const [keys, other] = [zmq.curveKeyPair(), zmq.curveKeyPair()];
    const own = { curvePublicKey: other.publicKey, curveSecretKey: other.secretKey };
    const curve = title === "another server key";
    const client = new zmq.Push({
      ...(curve
        ? { ...own, curveServerKey: other.publicKey }
        : { plainUsername: "ann", plainPassword: "word" }),
      linger: 0,
      reconnectInterval: -1,
    });
    const server = new zmq.Pull(
      answer === null ? { curveServer: true, curveSecretKey: keys.secretKey } : { plainServer: true },
    );
    const handler = new zmq.Reply({ linger: 0 });
    const read = async (socket) => {
      for await (const { type, error } of socket.events) {
        if (type.startsWith("handshake:error"))
          return [type, error.message, error.code, error.status, error.errno];
      }
    };
    const told = Promise.all([read(server), read(client)]);
    if (answer !== null) {
      await handler.bind("inproc://zeromq.zap.01");
      handler.receive().then(([, id]) => handler.send(answer(id)));
    }
    await server.bind("tcp://127.0.0.1:*");
    client.connect(server.lastEndpoint);
    const answers = await told;
    for (const socket of [client, server, handler]) socket.close();
    return answers;
  });
}
ask("event of a failed bind", async ({ zmq }) => {
  const [a, b] = [new zmq.Pull(), new zmq.Pull()];
  await a.bind("tcp://127.0.0.1:*");
  const failed = new Promise((resolve) => b.events.on("bind:error", resolve));
  await b.bind(a.lastEndpoint).catch(() => 0);
  const event = await failed;
  const answer = [Object.keys(event), event.error.code, event.error.message, event.error.errno];
  a.close();
  b.close();
  return answer;
});
ask("event of a refused connection", async ({ zmq }) => {
  const push = new zmq.Push({ linger: 0 });
  push.connect("tcp://127.0.0.1:1");
  const seen = [];
  for await (const event of push.events) {
    seen.push([event.type, Object.keys(event), typeof event.interval]);
    if (seen.length === 4) break;
  }
  push.close();
  return seen;
});

// Proxy

ask("Proxy: arguments and states", async ({ zmq }) => {
  const answers = {};
  // `new Proxy({}, {})` ends the process of zeromq.js.
  answers.none = outcome(() => new zmq.Proxy());
  answers.one = outcome(() => new zmq.Proxy(new zmq.Pull()));
  answers.other = outcome(() => new zmq.Proxy(5, 5));
  const [front, back] = [new zmq.Pull(), new zmq.Push({ linger: 0 })];
  const proxy = new zmq.Proxy(front, back);
  answers.same = [proxy.frontEnd === front, proxy.backEnd === back];
  answers.set = outcome(() => (proxy.frontEnd = 1));
  answers.before = ["pause", "resume", "terminate"].map((call) => outcome(() => proxy[call]()));
  answers.runUnbound = await eventual(() => proxy.run());
  await front.bind("tcp://127.0.0.1:*");
  answers.runHalfBound = await eventual(() => proxy.run());
  await back.bind("tcp://127.0.0.1:*");
  // It runs when a message has passed.
  const [push, pull] = [new zmq.Push({ linger: 0 }), new zmq.Pull()];
  push.connect(front.lastEndpoint);
  pull.connect(back.lastEndpoint);
  const running = eventual(() => proxy.run());
  await push.send("through");
  await pull.receive();
  for (const socket of [push, pull]) socket.close();
  answers.pause = outcome(() => proxy.pause());
  answers.resume = outcome(() => proxy.resume());
  answers.meanwhile = [
    front.closed,
    back.closed,
    outcome(() => front.linger),
    await eventual(() => front.receive()),
    await eventual(() => back.send("x")),
    outcome(() => front.connect("inproc://x")),
    outcome(() => front.close()),
    front.closed,
  ];
  answers.terminate = outcome(() => proxy.terminate());
  answers.running = await running;
  answers.after = [front.closed, back.closed];
  answers.afterwards = ["pause", "resume", "terminate"].map((call) => outcome(() => proxy[call]()));
  answers.again = await eventual(() => proxy.run());
  return answers;
});
