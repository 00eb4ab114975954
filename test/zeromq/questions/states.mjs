/** Questions about what calls come to: on a closed socket, out of turn, twice, in time and too late. */
import { ask, becomes, eventual, outcome } from "./asking.mjs";

/** What a call comes to, or "waits". By the clock: nothing tells that a promise stays as it is. */
function answerOrWait(call) {
  return Promise.race([eventual(call), new Promise((resolve) => setTimeout(resolve, 50, "waits"))]);
}

ask("a closed socket", async ({ zmq }) => {
  const socket = new zmq.Dealer({ linger: 7 });
  const before = [socket.closed, outcome(() => socket.close()), socket.closed];
  return {
    before,
    again: outcome(() => socket.close()),
    send: await eventual(() => socket.send("x")),
    receive: await eventual(() => socket.receive()),
    bind: await eventual(() => socket.bind("inproc://closed")),
    unbind: await eventual(() => socket.unbind("inproc://closed")),
    bindSync: outcome(() => socket.bindSync("inproc://closed")),
    unbindSync: outcome(() => socket.unbindSync("inproc://closed")),
    connect: outcome(() => socket.connect("inproc://closed")),
    disconnect: outcome(() => socket.disconnect("inproc://closed")),
    get: outcome(() => socket.linger),
    set: outcome(() => (socket.linger = 5)),
    getByNumber: outcome(() => socket.getInt32Option(17)),
    readable: outcome(() => socket.readable),
    writable: outcome(() => socket.writable),
    lastEndpoint: outcome(() => socket.lastEndpoint),
    type: outcome(() => socket.type),
    context: outcome(() => socket.context === zmq.context),
    events: outcome(() => socket.events.closed),
    iterate: await (async () => {
      let count = 0;
      for await (const _ of socket) count++;
      return count;
    })(),
  };
});
ask("a closed Subscriber", ({ zmq }) => {
  const socket = new zmq.Subscriber();
  socket.close();
  return [
    outcome(() => socket.subscribe("a")),
    outcome(() => socket.unsubscribe("a")),
    outcome(() => socket.subscribe()),
  ];
});
ask("what calls return", async ({ zmq }) => {
  const pull = new zmq.Pull({ linger: 0 });
  const push = new zmq.Push({ linger: 0 });
  const answers = {
    bind: await eventual(() => pull.bind("tcp://127.0.0.1:*")),
    lastEndpoint: /^tcp:\/\/127\.0\.0\.1:\d+$/.test(pull.lastEndpoint),
    connect: outcome(() => push.connect(pull.lastEndpoint)),
    same: push.lastEndpoint === pull.lastEndpoint,
    send: await eventual(() => push.send("hello")),
    receive: await eventual(() => pull.receive()),
    disconnect: outcome(() => push.disconnect(pull.lastEndpoint)),
    unbind: await eventual(() => pull.unbind(pull.lastEndpoint)),
    after: /^tcp:/.test(pull.lastEndpoint ?? ""),
    unknown: await eventual(() => pull.unbind("tcp://127.0.0.1:9")),
    unknownDisconnect: outcome(() => push.disconnect("tcp://127.0.0.1:9")),
    bindSync: outcome(() => pull.bindSync("inproc://returns")),
    bindTwice: outcome(() => pull.bindSync("inproc://returns")),
    unbindSync: outcome(() => pull.unbindSync("inproc://nothing")),
    close: outcome(() => pull.close()),
  };
  push.close();
  return answers;
});
ask("lastEndpoint by form of address", async ({ zmq }) => {
  const shape = (text) => (text ?? "null").replace(/\d{4,}/g, "N");
  const answers = {};
  for (const endpoint of [
    "tcp://127.0.0.1:0",
    "tcp://*:*",
    "tcp://0.0.0.0:0",
    "tcp://localhost:*",
    "tcp://lo:*",
    "inproc://last",
    "ipc:///tmp/zwire-last-endpoint.sock",
  ]) {
    const socket = new zmq.Pull();
    const bound = await eventual(() => socket.bind(endpoint));
    answers[endpoint] = [bound, shape(socket.lastEndpoint)];
    socket.close();
  }
  for (const endpoint of [
    "tcp://localhost:4321",
    "tcp://127.0.0.1:4321",
    "ipc:///tmp/zwire-none.sock",
    "inproc://none",
    "tcp://127.0.0.1:0;127.0.0.1:4321",
  ]) {
    const socket = new zmq.Push({ linger: 0 });
    answers[`connect ${endpoint}`] = [outcome(() => socket.connect(endpoint)), socket.lastEndpoint];
    socket.close();
  }
  return answers;
});
ask("address in use", async ({ zmq }) => {
  const [a, b] = [new zmq.Pull(), new zmq.Pull()];
  await a.bind("tcp://127.0.0.1:*");
  const mask = (answer) => JSON.parse(JSON.stringify(answer).replaceAll(a.lastEndpoint, "THERE"));
  const answers = [
    mask(await eventual(() => b.bind(a.lastEndpoint))),
    mask(outcome(() => b.bindSync(a.lastEndpoint))),
  ];
  a.close();
  b.close();
  return answers;
});
ask("during a bind", async ({ zmq }) => {
  const socket = new zmq.Dealer({ linger: 0, sendTimeout: 0, receiveTimeout: 0 });
  const first = socket.bind("tcp://127.0.0.1:*");
  const answers = {
    bind: await eventual(() => socket.bind("inproc://busy")).then((a) => a),
  };
  await first;
  const second = socket.bind("tcp://127.0.0.1:*");
  answers.connect = outcome(() => socket.connect("inproc://busy"));
  answers.disconnect = outcome(() => socket.disconnect("inproc://busy"));
  answers.bindSync = outcome(() => socket.bindSync("inproc://busy"));
  answers.linger = outcome(() => socket.linger);
  answers.setLinger = outcome(() => (socket.linger = 3));
  answers.close = [outcome(() => socket.close()), socket.closed];
  answers.bound = await eventual(() => second);
  await becomes(() => socket.closed);
  answers.closed = socket.closed;
  return answers;
});
ask("receive twice", async ({ zmq }) => {
  const socket = new zmq.Pull();
  socket.bindSync("inproc://twice");
  const first = eventual(() => socket.receive());
  const second = await answerOrWait(() => socket.receive());
  socket.close();
  return { second, first: await first };
});
ask("send twice", async ({ zmq }) => {
  const socket = new zmq.Push({ linger: 0 });
  const first = eventual(() => socket.send("a"));
  const second = await answerOrWait(() => socket.send("b"));
  socket.close();
  return { second, first: await first };
});
ask("time-outs", async ({ zmq }) => {
  const dealer = new zmq.Dealer({ sendTimeout: 0, receiveTimeout: 0, linger: 0 });
  const answers = [await eventual(() => dealer.send("x")), await eventual(() => dealer.receive())];
  dealer.sendTimeout = 20;
  dealer.receiveTimeout = 20;
  answers.push(await eventual(() => dealer.send("x")), await eventual(() => dealer.receive()));
  dealer.close();
  return answers;
});
ask("iteration and time-out, close and break", async ({ zmq }) => {
  const pull = new zmq.Pull({ receiveTimeout: 10 });
  const iterator = pull[Symbol.asyncIterator]();
  const answers = [
    Object.keys(iterator),
    typeof iterator.next,
    typeof iterator.return,
    typeof iterator[Symbol.asyncIterator],
  ];
  answers.push(await eventual(() => iterator.next()));
  pull.receiveTimeout = -1;
  const next = eventual(() => iterator.next());
  await new Promise(setImmediate); // it has no message, and waits
  pull.close();
  answers.push(await next, await eventual(() => iterator.next()));
  return answers;
});
ask("send: kinds of parts", async ({ zmq }) => {
  const pull = new zmq.Pull();
  const push = new zmq.Push({ linger: 0 });
  pull.bindSync("inproc://parts");
  push.connect("inproc://parts");
  const shared = new SharedArrayBuffer(2);
  new Uint8Array(shared).set([97, 98]);
  const kinds = {
    text: "a",
    empty: "",
    null: null,
    number: 5,
    zero: 0,
    float: 1.5,
    true: true,
    false: false,
    bigint: 5n,
    undefined: undefined,
    array: [],
    parts: ["a", null, 3],
    nested: [["a", "b"]],
    object: {},
    date: new Date(0),
    symbolless: { toString: () => "s" },
    buffer: Buffer.from("b"),
    view: new Uint16Array([0x6261]),
    dataView: new DataView(new Uint8Array([99, 100]).buffer, 1),
    arrayBuffer: new Uint8Array([97]).buffer,
    shared,
    sub: new Uint8Array([97, 98, 99]).subarray(1, 2),
    function: () => 1,
    hole: [undefined, "x"],
    symbol: Symbol("s"),
  };
  const answers = {};
  pull.receiveTimeout = 100;
  for (const [title, value] of Object.entries(kinds)) {
    const sent = await eventual(() => push.send(value));
    answers[title] = [sent, "resolved" in sent ? await eventual(() => pull.receive()) : null];
  }
  pull.close();
  push.close();
  return answers;
});
ask("REQ and REP out of turn", async ({ zmq }) => {
  const times = { linger: 0, receiveTimeout: 500, sendTimeout: 50 };
  const [request, reply] = [new zmq.Request(times), new zmq.Reply(times)];
  const answers = {};
  request.receiveTimeout = 50;
  answers.receiveFirst = await eventual(() => request.receive());
  answers.sendFirst = await eventual(() => reply.send("x"));
  reply.sendTimeout = 0;
  answers.sendFirstAtOnce = await eventual(() => reply.send("x"));
  reply.sendTimeout = 50;
  request.receiveTimeout = 500;
  await reply.bind("tcp://127.0.0.1:*");
  request.connect(reply.lastEndpoint);
  await request.send("a");
  answers.writableInTurn = [request.writable, reply.writable];
  answers.sendTwice = await eventual(() => request.send("b"));
  await reply.receive();
  reply.receiveTimeout = 50;
  answers.receiveTwice = await eventual(() => reply.receive());
  answers.writable = [request.writable, reply.writable];
  await reply.send("c");
  answers.reply = await eventual(() => request.receive());
  request.close();
  reply.close();
  return answers;
});
ask("Router, mandatory", async ({ zmq }) => {
  const router = new zmq.Router({ mandatory: true, linger: 0, sendTimeout: 0 });
  await router.bind("tcp://127.0.0.1:*");
  const answers = [await eventual(() => router.send(["nobody", "x"]))];
  router.mandatory = false;
  answers.push(
    await eventual(() => router.send(["nobody", "x"])),
    await eventual(() => router.send("alone")),
  );
  router.close();
  return answers;
});
ask("Stream to nobody", async ({ zmq }) => {
  const stream = new zmq.Stream({ linger: 0, sendTimeout: 0 });
  await stream.bind("tcp://127.0.0.1:*");
  const answers = [await eventual(() => stream.send(["nobody", "x"]))];
  stream.close();
  return answers;
});
ask("drafts: what they send", async ({ draft }) => {
  const [client, server] = [new draft.Client({ linger: 0 }), new draft.Server({ linger: 0 })];
  await server.bind("tcp://127.0.0.1:*");
  client.connect(server.lastEndpoint);
  const [radio, dish] = [new draft.Radio({ linger: 0 }), new draft.Dish()];
  const answers = {
    two: await eventual(() => client.send(["a", "b"])),
    one: await eventual(() => client.send(["a"])),
    nobody: await eventual(() => server.send("x", { routingId: 5 })),
    without: await eventual(() => server.send("x")),
    text: await eventual(() => server.send("x", { routingId: "5" })),
    join: outcome(() => dish.join("a", Buffer.from("b"))),
    joinAgain: outcome(() => dish.join("a")),
    joinNumber: outcome(() => dish.join(5)),
    joinNothing: outcome(() => dish.join()),
    leave: outcome(() => dish.leave("a")),
    leaveAgain: outcome(() => dish.leave("a")),
    radio: await eventual(() => radio.send("x", { group: "g" })),
    radioBuffer: await eventual(() => radio.send("x", { group: Buffer.from("g") })),
    radioWithout: await eventual(() => radio.send("x")),
    radioNumber: await eventual(() => radio.send("x", { group: 5 })),
  };
  for (const socket of [client, server, radio, dish]) socket.close();
  return answers;
});
