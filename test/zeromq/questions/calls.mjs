/** Questions about the arguments of bind, connect, subscribe and their like. */
import { ask, closing, eventual, label, outcome } from "./asking.mjs";

const ENDPOINTS = [
  undefined,
  null,
  5,
  "",
  "x",
  "tcp",
  "tcp://",
  "tcp://127.0.0.1",
  "tcp://127.0.0.1:",
  "tcp://127.0.0.1:x",
  "tcp://127.0.0.1:70000",
  "tcp://nosuchhost.invalid:5",
  "tcp://*:5555x",
  "udp://127.0.0.1:5",
  "foo://bar",
  "ipc://",
  "inproc://",
  "http://x",
  `ipc:///tmp/${"x".repeat(200)}`,
  `inproc://${"x".repeat(300)}`,
  "tcp://[::1",
  "tcp://1.2.3.4:0",
  " tcp://127.0.0.1:5",
  "TCP://127.0.0.1:5",
  {},
  [],
];
for (const call of ["connect", "disconnect", "bindSync", "unbindSync"]) {
  ask(`${call} with each kind of argument`, ({ zmq }) =>
    ENDPOINTS.map((endpoint) =>
      closing(new zmq.Dealer({ linger: 0 }), (socket) => [
        label(endpoint),
        outcome(() => socket[call](endpoint)),
        socket.lastEndpoint,
      ]),
    ),
  );
}
for (const call of ["bind", "unbind"]) {
  ask(`${call} with each kind of argument`, async ({ zmq }) => {
    const answers = [];
    for (const endpoint of ENDPOINTS) {
      const socket = new zmq.Dealer({ linger: 0 });
      answers.push([label(endpoint), await eventual(() => socket[call](endpoint)), socket.lastEndpoint]);
      socket.close();
    }
    return answers;
  });
}
ask("calls without and with too many arguments", ({ zmq }) =>
  closing(new zmq.Dealer({ linger: 0 }), (socket) =>
    Object.fromEntries(
      ["connect", "disconnect", "bind", "unbind", "bindSync", "unbindSync", "send"].map((call) => {
        const two = call === "send" ? [] : outcome(() => socket[call]("inproc://a", {}, {}));
        return [call, [outcome(() => socket[call]()), two]];
      }),
    ),
  ),
);
ask("Router.connect options", ({ zmq }) =>
  closing(new zmq.Router({ linger: 0 }), (router) => ({
    none: outcome(() => router.connect("tcp://127.0.0.1:1")),
    empty: outcome(() => router.connect("tcp://127.0.0.1:1", {})),
    id: outcome(() => router.connect("tcp://127.0.0.1:1", { routingId: "x" })),
    number: outcome(() => router.connect("tcp://127.0.0.1:1", { routingId: 5 })),
    nothing: outcome(() => router.connect("tcp://127.0.0.1:1", { routingId: "" })),
    null: outcome(() => router.connect("tcp://127.0.0.1:1", { routingId: null })),
    unknown: outcome(() => router.connect("tcp://127.0.0.1:1", { foo: 1 })),
    notAnObject: outcome(() => router.connect("tcp://127.0.0.1:1", 5)),
    optionsNull: outcome(() => router.connect("tcp://127.0.0.1:1", null)),
    buffer: outcome(() => router.connect("tcp://127.0.0.1:1", { routingId: Buffer.from("b") })),
  })),
);
ask("subscribe arguments", ({ zmq }) =>
  closing(new zmq.Subscriber(), (socket) => ({
    none: outcome(() => socket.subscribe()),
    text: outcome(() => socket.subscribe("a", "b")),
    buffer: outcome(() => socket.subscribe(Buffer.from("a"))),
    number: outcome(() => socket.subscribe(5)),
    null: outcome(() => socket.subscribe(null)),
    undefined: outcome(() => socket.subscribe(undefined)),
    array: outcome(() => socket.subscribe(["a"])),
    view: outcome(() => socket.subscribe(new Uint8Array([97]))),
    off: outcome(() => socket.unsubscribe("a")),
    unknown: outcome(() => socket.unsubscribe("never")),
    offNone: outcome(() => socket.unsubscribe()),
  })),
);
