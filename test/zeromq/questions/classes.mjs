/** Questions about exports, and about the members of each class. */
import { accessors, ask, CLASSES, closing, DRAFTS, outcome } from "./asking.mjs";

/** The names that a module exports, and what kind of thing each is. */
function named(module) {
  return Object.fromEntries(
    Object.keys(module)
      .filter((name) => name !== "default" && name !== "__esModule" && name !== "module.exports")
      .sort()
      .map((name) => [name, typeof module[name]]),
  );
}

ask("exports of the module", ({ zmq }) => named(zmq));
ask("exports of the draft module", ({ draft }) => named(draft));
ask("default export", ({ zmq, draft }) => [
  zmq.default.Push === zmq.Push,
  draft.default.Client === draft.Client,
]);
ask("version", ({ zmq }) => zmq.version);
ask("capability", ({ zmq }) => zmq.capability);

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
