/**
 * Questions about a library with zeromq.js's surface: each is a function of its module that answers with plain data.
 * questions-child.mjs asks them of one library; surface.test.ts asks two libraries and compares the answers. Long,
 * because it is a list.
 */

/** What a call comes to: its value, or what it threw. */
export function outcome(call) {
  try {
    return plain(call());
  } catch (error) {
    return failure(error);
  }
}

/** As outcome, for a promise: says also whether the call threw at once. */
export async function eventual(call) {
  let promise;
  try {
    promise = call();
  } catch (error) {
    return { threw: failure(error) };
  }
  if (typeof promise?.then !== "function") return { returned: plain(promise) };
  try {
    return { resolved: plain(await promise) };
  } catch (error) {
    return { rejected: failure(error) };
  }
}

function failure(error) {
  const { message, code, errno, address } = error;
  return { error: error.constructor.name, message, code, errno, address };
}

function plain(value) {
  if (Buffer.isBuffer(value)) return `Buffer(${value.toString("latin1")})`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "function";
  if (value === undefined) return "undefined";
  if (typeof value === "object" && value !== null && value.constructor !== Object)
    return `[${value.constructor.name}]`;
  if (Object.is(value, -0)) return "-0";
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return value;
}

const CLASSES = [
  "Pair",
  "Publisher",
  "Subscriber",
  "Request",
  "Reply",
  "Dealer",
  "Router",
  "Pull",
  "Push",
  "XPublisher",
  "XSubscriber",
  "Stream",
];
const DRAFTS = ["Server", "Client", "Radio", "Dish", "Gather", "Scatter", "Datagram"];

function closing(socket, use) {
  try {
    return use(socket);
  } finally {
    socket.close();
  }
}

/** Every accessor on the way up from a socket, most derived first. */
function accessors(object) {
  const found = new Map();
  for (let at = object; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (!("value" in descriptor) && !found.has(name)) {
        found.set(name, `${descriptor.get ? "r" : "-"}${descriptor.set ? "w" : "-"}`);
      }
    }
  }
  return found;
}

const VALUES = [
  0,
  1,
  -1,
  -2,
  5,
  1.5,
  2147483647,
  2147483648,
  4294967296,
  Number.NaN,
  "x",
  "",
  "127.0.0.1",
  true,
  false,
  null,
  undefined,
  Buffer.from("b"),
  Buffer.alloc(0),
  [],
  {},
  3n,
  "x".repeat(255),
  "x".repeat(256),
  "\0a",
  "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
  "~".repeat(40),
  Buffer.alloc(32, 1),
  Buffer.alloc(31, 1),
];

const label = (value) =>
  typeof value === "bigint"
    ? `${value}n`
    : Buffer.isBuffer(value)
      ? `Buffer(${value.length})`
      : typeof value === "string"
        ? JSON.stringify(value.length > 40 ? `${value[0]}*${value.length}` : value)
        : Array.isArray(value)
          ? "[]"
          : typeof value === "object" && value !== null
            ? "{}"
            : String(value);

const READ_ONLY = new Set(["events", "context", "closed", "readable", "writable"]);

export const questions = {
  "exports of the module": ({ zmq }) =>
    Object.fromEntries(
      Object.keys(zmq)
        .filter((name) => name !== "default" && name !== "__esModule" && name !== "module.exports")
        .sort()
        .map((name) => [name, typeof zmq[name]]),
    ),
  "exports of the draft module": ({ draft }) =>
    Object.fromEntries(
      Object.keys(draft)
        .filter((name) => name !== "default" && name !== "__esModule" && name !== "module.exports")
        .sort()
        .map((name) => [name, typeof draft[name]]),
    ),
  "default export": ({ zmq, draft }) => [
    zmq.default.Push === zmq.Push,
    draft.default.Client === draft.Client,
  ],
  version: ({ zmq }) => zmq.version,
  capability: ({ zmq }) => zmq.capability,
};

const ask = (title, question) => {
  questions[title] = question;
};

ask("chain and shape of the classes", ({ zmq, draft }) =>
  Object.fromEntries(
    [...CLASSES, ...DRAFTS].map((name) => {
      const Type = zmq[name] ?? draft[name];
      return [
        name,
        [
          Type.name,
          Type.length,
          Object.getPrototypeOf(Type) === zmq.Socket,
          Type.prototype.constructor === Type,
        ],
      ];
    }),
  ),
);
for (const name of ["Context", "Socket", "Observer", "Proxy"]) {
  ask(`members of ${name}`, ({ zmq }) => {
    const own = Object.getOwnPropertyDescriptors(zmq[name].prototype);
    return Object.fromEntries(
      Reflect.ownKeys(own)
        .filter((key) => !String(key).startsWith("_") && key !== "emitter")
        .sort((a, b) => String(a).localeCompare(String(b)))
        .map((key) => [
          String(key),
          "value" in own[key]
            ? typeof own[key].value
            : `${own[key].get ? "r" : "-"}${own[key].set ? "w" : "-"}`,
        ]),
    );
  });
}
for (const name of [...CLASSES, ...DRAFTS]) {
  const make = ({ zmq, draft }, ...rest) => new (zmq[name] ?? draft[name])(...rest);
  ask(`${name}: properties and what they read`, (library) =>
    closing(make(library), (socket) =>
      Object.fromEntries(
        [...accessors(socket)]
          .sort(([a], [b]) => a.localeCompare(b))
          .map(([key, access]) => [key, [access, outcome(() => socket[key])]]),
      ),
    ),
  );
  ask(`${name}: own keys and sealing`, (library) =>
    closing(make(library), (socket) => [
      Reflect.ownKeys(socket).map(String),
      Object.isSealed(socket),
      Object.isExtensible(socket),
    ]),
  );
  ask(`${name}: constructor arguments`, (library) => {
    const { zmq, draft } = library;
    const Type = zmq[name] ?? draft[name];
    const tries = {
      none: () => make(library),
      undefined: () => make(library, undefined),
      null: () => make(library, null),
      string: () => make(library, "x"),
      number: () => make(library, 5),
      array: () => make(library, []),
      "unknown option": () => make(library, { foo: 1 }),
      "unknown option, undefined": () => make(library, { foo: undefined }),
      "two arguments": () => make(library, {}, {}),
      "read-only option": () => make(library, { type: 1 }),
      "context null": () => make(library, { context: null }),
      "context undefined": () => make(library, { context: undefined }),
      "context other": () => make(library, { context: {} }),
      "linger undefined": () => make(library, { linger: undefined }),
      "linger 5": () => make(library, { linger: 5 }),
      "linger text": () => make(library, { linger: "x" }),
      "without new": () => Type(),
    };
    return Object.fromEntries(
      Object.entries(tries).map(([title, call]) => [
        title,
        outcome(() => {
          const socket = call();
          socket.close();
          return socket.constructor.name;
        }),
      ]),
    );
  });
  ask(`${name}: setting what it has not`, (library) =>
    closing(make(library), (socket) =>
      [
        "foo",
        "type",
        "lastEndpoint",
        "events",
        "closed",
        "context",
        "mandatory",
        "sendTimeout",
        "receiveTimeout",
        "conflate",
        "routingId",
        "send",
        "close",
        "constructor",
        "verbosity",
      ].map((key) => [key, outcome(() => (socket[key] = 1))]),
    ),
  );
}

const SETTABLE = ["Router", "XPublisher", "Stream", "Dealer", "Request", "Publisher"];
for (const name of SETTABLE) {
  ask(`${name}: each option set to each kind of value`, ({ zmq }) => {
    const answers = {};
    const probe = new zmq[name]();
    const names = [...accessors(probe)]
      .filter(([key, access]) => access.endsWith("w") && !READ_ONLY.has(key))
      .map(([key]) => key);
    probe.close();
    for (const key of names.sort()) {
      if (
        name !== "Router" &&
        !/^(conflate|noDrop|manual|welcome|invert|verbosity|notify|routingId|probe|correlate|relaxed)/.test(
          key,
        )
      )
        continue;
      answers[key] = VALUES.map((value) =>
        closing(new zmq[name](), (socket) => [
          label(value),
          outcome(() => {
            socket[key] = value;
          }),
          outcome(() => socket[key]),
        ]),
      );
    }
    return answers;
  });
}

/** A value that each option takes, and one of another type. */
const GOOD = {
  linger: 5,
  conflate: true,
  noDrop: true,
  invertMatching: true,
  manual: true,
  notify: false,
  mandatory: true,
  handover: true,
  probeRouter: true,
  correlate: true,
  relaxed: true,
  verbosity: "allSubs",
  welcomeMessage: "hi",
  routingId: "me",
  immediate: true,
  ipv6: true,
  tcpKeepalive: 1,
  maxMessageSize: 1000,
  affinity: 3,
  tcpAcceptFilter: "127.0.0.1",
  plainServer: true,
  curveServer: true,
  zapEnforceDomain: true,
  loopbackFastPath: true,
  plainUsername: "user",
  plainPassword: "word",
  curvePublicKey: "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
  curveSecretKey: "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs",
  curveServerKey: "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
  zapDomain: "global",
  socksProxy: "127.0.0.1:1080",
  interface: "lo",
  vmciBufferSize: 1,
  heartbeatTimeToLive: 2000,
};
for (const name of [...CLASSES, ...DRAFTS]) {
  ask(`${name}: constructor fields, one by one`, ({ zmq, draft }) => {
    const Type = zmq[name] ?? draft[name];
    const probe = new Type();
    const names = [...accessors(probe)].filter(([, access]) => access.endsWith("w"));
    probe.close();
    return names
      .map(([key]) => key)
      .sort()
      .flatMap((key) =>
        [key in GOOD ? GOOD[key] : 7, {}].map((value) => {
          if (key === "verbosity" && typeof value === "object")
            return [`${key} ${label(value)}`, "takes anything"];
          const read = () => closing(new Type({ [key]: value }), (socket) => outcome(() => socket[key]));
          return [`${key} ${label(value)}`, outcome(read)];
        }),
      );
  });
}

const NATURAL = {
  Bool: [39, 42, 44, 47, 81, 93, 94],
  Int32: [
    8, 9, 11, 12, 13, 16, 17, 18, 19, 21, 23, 24, 25, 27, 28, 31, 34, 35, 36, 37, 57, 66, 75, 76, 77, 79, 80,
    84, 89,
  ],
  Uint32: [11, 17, 23, 34],
  Int64: [22],
  Uint64: [4],
  String: [5, 32, 45, 46, 55, 68, 92],
};
/** Numbers that exist nowhere, or cannot be read. */
const UNREADABLE = [
  0, 1, 2, 3, 6, 7, 10, 20, 26, 29, 30, 33, 38, 40, 48, 49, 50, 51, 52, 53, 56, 61, 67, 69, 70, 71, 72, 73,
  78, 85, 88, 200, -5,
];

ask("options by number", ({ zmq }) =>
  closing(new zmq.Dealer(), (socket) =>
    Object.entries(NATURAL).flatMap(([kind, ids]) =>
      ids.map((id) => [kind, id, outcome(() => socket[`get${kind}Option`](id))]),
    ),
  ),
);
ask("options that cannot be read by number", ({ zmq }) =>
  closing(new zmq.Dealer(), (socket) =>
    UNREADABLE.map((id) => [id, outcome(() => socket.getInt32Option(id))]),
  ),
);
ask("options set by number", ({ zmq }) => {
  const values = {
    Bool: [true, false],
    Int32: [1, -1, 1.5, 0],
    Uint32: [1],
    Int64: [1, -1],
    Uint64: [1],
    String: ["x"],
  };
  // A proxy must have a port.
  const skipped = new Set([68, 13, 89]);
  return Object.entries(NATURAL).flatMap(([kind, ids]) =>
    ids
      .filter((id) => !skipped.has(id))
      .flatMap((id) =>
        values[kind].map((value) =>
          closing(new zmq.Router(), (socket) => [
            `${kind} ${id} ${value}`,
            outcome(() => socket[`set${kind}Option`](id, value)),
            outcome(() => socket[`get${kind}Option`](id)),
          ]),
        ),
      ),
  );
});
function setting(socket, key, value) {
  socket[key] = value;
  return socket[key];
}
const SECURITY = [
  "securityMechanism",
  "plainServer",
  "plainUsername",
  "plainPassword",
  "curveServer",
  "zapDomain",
  "zapEnforceDomain",
];
const KEYS = ["curvePublicKey", "curveSecretKey", "curveServerKey"];
ask("security settings one after the other", ({ zmq }) => {
  const steps = {
    plainServer: [true, false],
    plainUsername: ["user", null, Buffer.alloc(0)],
    plainPassword: ["word", null, Buffer.from("x")],
    curveServer: [true, false],
    curvePublicKey: [GOOD.curvePublicKey],
    curveSecretKey: [GOOD.curveSecretKey, Buffer.alloc(32, 7)],
    curveServerKey: [GOOD.curveServerKey],
    zapDomain: ["global"],
  };
  const all = Object.entries(steps).flatMap(([key, values]) => values.map((value) => [key, value]));
  const name = ([key, value]) => `${key}=${label(value)}`;
  return all.flatMap((first) =>
    all.map((second) =>
      closing(new zmq.Dealer(), (socket) => [
        `${name(first)}, ${name(second)}`,
        [first, second].map(([key, value]) => outcome(() => void (socket[key] = value))),
        SECURITY.map((key) => outcome(() => socket[key])),
        outcome(() => socket.getInt32Option(43)),
      ]),
    ),
  );
});
ask("keys are read before they are set", ({ zmq }) =>
  closing(new zmq.Dealer(), (socket) => KEYS.map((key) => [key, outcome(() => socket[key])])),
);
ask("keys are read back", ({ zmq }) =>
  closing(new zmq.Dealer(), (socket) =>
    KEYS.map((key) => [key, outcome(() => setting(socket, key, GOOD[key]))]),
  ),
);
ask("security options by number", ({ zmq }) => {
  const values = { Bool: true, Int32: 1, Uint32: 2, Int64: 1, Uint64: 1, String: "X-a:b" };
  return [43, 44, 47, 48, 49, 50, 93, 95].flatMap((id) =>
    Object.entries(values).map(([kind, value]) =>
      closing(new zmq.Dealer(), (socket) => [
        `${id} ${kind}`,
        outcome(() => socket[`set${kind}Option`](id, value)),
        outcome(() => socket[`get${kind}Option`](id)),
      ]),
    ),
  );
});
ask("properties of one's own by number", ({ zmq }) =>
  ["X-a:b", "X-a:b:c", "X-a:", "X-:b", "a:b", "x-a:b", "X-a", "", null, Buffer.from("X-a:b"), 5].map(
    (value) =>
      closing(new zmq.Dealer(), (socket) => [label(value), outcome(() => socket.setStringOption(95, value))]),
  ),
);
ask("curveKeyPair", ({ zmq }) => {
  const pairs = [zmq.curveKeyPair(), zmq.curveKeyPair()];
  return [
    Object.keys(pairs[0]),
    pairs.map(({ publicKey, secretKey }) => [publicKey.length, secretKey.length, publicKey === secretKey]),
    pairs[0].publicKey === pairs[1].publicKey,
  ];
});
ask("arguments of option calls", ({ zmq }) =>
  closing(new zmq.Dealer(), (socket) => ({
    none: outcome(() => socket.getInt32Option()),
    text: outcome(() => socket.getInt32Option("x")),
    fraction: outcome(() => socket.getInt32Option(23.7)),
    negative: outcome(() => socket.getInt32Option(-1)),
    two: outcome(() => socket.getInt32Option(23, 4)),
    setNone: outcome(() => socket.setInt32Option()),
    setOne: outcome(() => socket.setInt32Option(23)),
    setText: outcome(() => socket.setInt32Option(23, "x")),
    setId: outcome(() => socket.setInt32Option("x", 1)),
    setThree: outcome(() => socket.setInt32Option(23, 1, 2)),
    boolText: outcome(() => socket.setBoolOption(39, "x")),
    int64Text: outcome(() => socket.setInt64Option(22, "x")),
    uint64Text: outcome(() => socket.setUint64Option(4, "x")),
    uint32Text: outcome(() => socket.setUint32Option(4, "x")),
    stringNumber: outcome(() => socket.setStringOption(5, 5)),
    stringUndefined: outcome(() => socket.setStringOption(5, undefined)),
    detached: outcome(() => Reflect.apply(socket.getInt32Option, undefined, [23])),
    foreign: outcome(() => socket.getInt32Option.call({}, 23)),
  })),
);

for (const name of ["Router", "XPublisher", "Request", "Publisher", "Subscriber"]) {
  ask(`${name}: which options warn when they are set after connect`, async ({ zmq }) => {
    const warned = [];
    const told = (warning) => warned.push(warning.message);
    process.on("warning", told);
    const answers = {};
    const probe = new zmq[name]();
    const names = [...accessors(probe)].filter(([, access]) => access.endsWith("w")).map(([key]) => key);
    probe.close();
    for (const key of names.sort()) {
      const socket = new zmq[name]({ linger: 0 });
      const value = key in GOOD ? GOOD[key] : 7;
      const count = async () => {
        await new Promise((resolve) => setImmediate(resolve));
        return warned.splice(0).length;
      };
      answers[key] = [
        outcome(() => {
          socket[key] = value;
        }),
        await count(),
      ];
      socket.connect("inproc://late");
      outcome(() => {
        socket[key] = value;
      });
      answers[key].push(await count());
      socket.disconnect("inproc://late");
      outcome(() => {
        socket[key] = value;
      });
      answers[key].push(await count());
      socket.close();
    }
    process.off("warning", told);
    return answers;
  });
}

// Calls and their arguments

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

// States

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
  await new Promise((resolve) => setTimeout(resolve, 20));
  answers.closed = socket.closed;
  return answers;
});
ask("receive twice", async ({ zmq }) => {
  const socket = new zmq.Pull();
  socket.bindSync("inproc://twice");
  const first = eventual(() => socket.receive());
  const second = await Promise.race([
    eventual(() => socket.receive()),
    new Promise((resolve) => setTimeout(resolve, 50, "waits")),
  ]);
  socket.close();
  return { second, first: await first };
});
ask("send twice", async ({ zmq }) => {
  const socket = new zmq.Push({ linger: 0 });
  const first = eventual(() => socket.send("a"));
  const second = await Promise.race([
    eventual(() => socket.send("b")),
    new Promise((resolve) => setTimeout(resolve, 50, "waits")),
  ]);
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
  await new Promise((resolve) => setTimeout(resolve, 10));
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
  const until = async (name, type) => {
    while (!log[name].some((event) => event.type === type))
      await new Promise((resolve) => setTimeout(resolve, 5));
  };
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
  const running = eventual(() => proxy.run());
  await new Promise((resolve) => setTimeout(resolve, 50));
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
