/** Questions about options: by property, by field of a constructor, and by number. */
import { accessors, ask, CLASSES, closing, DRAFTS, GOOD, label, outcome } from "./asking.mjs";

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
const READ_ONLY = new Set(["events", "context", "closed", "readable", "writable"]);

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
