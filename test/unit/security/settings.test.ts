/** Security as it is set: what contradicts what, what is missing when, what is read back, and that no secret shows. */
import { inspect } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { coreOf } from "../../../src/api/socket.js";
import * as zwire from "../../../src/index.js";

const PAIR = zwire.curveKeyPair();
const SERVER = zwire.curveKeyPair();
const NOWHERE = "tcp://127.0.0.1:1";
const open: zwire.Socket[] = [];

type Loose = zwire.Dealer & Record<string, unknown>;

function dealer(options: object = {}): Loose {
  const socket = new zwire.Dealer(options) as Loose;
  open.push(socket);
  return socket;
}

afterEach(() => Promise.all(open.splice(0).map((socket) => socket.close({ linger: 0 }))));

const VALUES: Record<string, unknown> = {
  plainServer: true,
  plainUsername: "user",
  plainPassword: "pa55word",
  curveServer: true,
  curvePublicKey: PAIR.publicKey,
  curveSecretKey: PAIR.secretKey,
  curveServerKey: SERVER.publicKey,
  zapDomain: "global",
  authenticate: () => true,
};
const NUMBERS: Record<string, number> = {
  plainServer: 44,
  plainUsername: 45,
  plainPassword: 46,
  curveServer: 47,
  curvePublicKey: 48,
  curveSecretKey: 49,
  curveServerKey: 50,
  zapDomain: 55,
};
const PLAIN = ["plainServer", "plainUsername", "plainPassword"];
const CURVE = ["curveServer", "curvePublicKey", "curveSecretKey", "curveServerKey"];
const CONTRADICTIONS = [
  ...PLAIN.flatMap((plain) => CURVE.map((curve) => [plain, curve])),
  ["plainServer", "plainUsername"],
  ["plainServer", "plainPassword"],
  ["curveServer", "curveServerKey"],
  ...["plainUsername", "plainPassword", "curveServerKey"].flatMap((client) => [
    [client, "zapDomain"],
    [client, "authenticate"],
  ]),
];

describe.each(
  CONTRADICTIONS.flatMap(([a, b]) => [
    [a, b],
    [b, a],
  ]),
)("%s, then %s", (first, second) => {
  const both = expect.objectContaining({
    name: "TypeError",
    message: expect.stringMatching(new RegExp(`^${second} contradicts ${first}: `)),
  });

  it("is refused as properties and as constructor fields, and names both", () => {
    const socket = dealer({ [first]: VALUES[first] });
    const before = socket[second];
    expect(() => {
      socket[second] = VALUES[second];
    }).toThrow(both);
    expect([socket[first], socket[second]]).toEqual([VALUES[first], before]);
    expect(() => dealer({ [first]: VALUES[first], [second]: VALUES[second] })).toThrow(both);
  });

  it("is EINVAL by number", () => {
    if (!(second in NUMBERS)) return;
    const socket = dealer({ [first]: VALUES[first] });
    const id = NUMBERS[second];
    const set = () =>
      typeof VALUES[second] === "boolean"
        ? socket.setBoolOption(id, true)
        : socket.setStringOption(id, VALUES[second] as string);
    expect(set).toThrow(expect.objectContaining({ code: "EINVAL", message: expect.stringContaining(first) }));
  });

  it("is allowed when the first is unset", () => {
    const socket = dealer({ [first]: VALUES[first] });
    socket[first] = typeof VALUES[first] === "boolean" ? false : first === "zapDomain" ? "" : null;
    socket[second] = VALUES[second];
    expect(socket[second]).toEqual(VALUES[second]);
  });
});

it("what does not contradict each other goes together", () => {
  dealer({ plainServer: true, zapDomain: "d", authenticate: () => true, zapEnforceDomain: true });
  const { curveServer, curvePublicKey, curveSecretKey, zapDomain, authenticate } = VALUES;
  dealer({ curveServer, curvePublicKey, curveSecretKey, zapDomain, authenticate });
  dealer({ curveServerKey: SERVER.publicKey, curvePublicKey, curveSecretKey });
  dealer({ zapDomain, authenticate });
});

describe("security", () => {
  const client = { mechanism: "curve", serverKey: SERVER.publicKey, ...PAIR } as const;

  it("says all at once, and takes the place of what was set", () => {
    const socket = dealer({ plainUsername: "user", plainPassword: "word" });
    socket.security = client;
    expect(socket).toMatchObject({ plainUsername: null, plainPassword: null, curveServer: false });
    const { curveServerKey, curvePublicKey, curveSecretKey, securityMechanism } = socket;
    expect({ curveServerKey, curvePublicKey, curveSecretKey, securityMechanism }).toEqual({
      curveServerKey: SERVER.publicKey,
      curvePublicKey: PAIR.publicKey,
      curveSecretKey: PAIR.secretKey,
      securityMechanism: "curve",
    });
    socket.security = { mechanism: "plain", server: true, domain: "d" };
    expect(socket).toMatchObject({
      curveServerKey: null,
      curveSecretKey: null,
      plainServer: true,
      zapDomain: "d",
    });
    socket.security = { mechanism: "null" };
    expect(socket).toMatchObject({ plainServer: false, zapDomain: "", securityMechanism: null });
  });

  it.each([
    { mechanism: "null" },
    { mechanism: "null", domain: "d" },
    { mechanism: "plain", server: true, domain: "d" },
    { mechanism: "plain", username: "user", password: "" },
    { mechanism: "curve", server: true, secretKey: PAIR.secretKey, domain: "d" },
    { mechanism: "curve", server: false, serverKey: SERVER.publicKey, ...PAIR },
  ] as zwire.SecuritySettings[])(
    "%o is read back, and what is read can be given to another socket",
    (settings) => {
      const socket = dealer({ security: settings });
      const read = socket.security as unknown as Record<string, unknown>;
      for (const [name, value] of Object.entries(settings)) expect(read[name], name).toEqual(value);
      expect(Object.keys(read).sort()).toEqual(
        [...new Set([...Object.keys(settings), ...(settings.mechanism === "null" ? [] : ["server"])])]
          .filter((name) => name !== "password" && name !== "secretKey")
          .sort(),
      );
      const other = dealer({ security: read });
      expect({ ...other.security }).toEqual({ ...socket.security });
      expect(other.curveSecretKey).toBe(socket.curveSecretKey);
      expect(other.plainPassword).toBe(socket.plainPassword);
    },
  );

  it("keys may be octets", () => {
    const secretKey = zwire.z85Decode(PAIR.secretKey);
    const socket = dealer({ security: { mechanism: "curve", server: true, secretKey } });
    expect(socket.curveSecretKey).toBe(PAIR.secretKey);
    socket.curvePublicKey = new Uint8Array(zwire.z85Decode(PAIR.publicKey));
    expect(socket.curvePublicKey).toBe(PAIR.publicKey);
    expect(socket.getStringOption(48)).toBe(PAIR.publicKey);
    socket.setStringOption(49, secretKey);
    expect(socket.getStringOption(49)).toBe(PAIR.secretKey);
  });

  const { secretKey } = PAIR;
  const { publicKey: serverKey } = SERVER;
  it.each([
    ["mechanism", {}],
    ["mechanism", { mechanism: "PLAIN" }],
    ["mechanism", { mechanism: "toString" }],
    ["mechanism", { mechanism: null }],
    ["user", { mechanism: "plain", user: "x", password: "y" }],
    ["serverKey", { mechanism: "plain", server: true, serverKey }],
    ["server", { mechanism: "plain", server: 1 }],
    ["server", { mechanism: "null", server: true }],
    ["security.username contradicts security.server", { mechanism: "plain", server: true, username: "x" }],
    ["security.password contradicts security.server", { mechanism: "plain", server: true, password: "x" }],
    [
      "security.domain contradicts a client",
      { mechanism: "plain", username: "x", password: "y", domain: "d" },
    ],
    ["security.password", { mechanism: "plain", username: "x" }],
    ["security.username", { mechanism: "plain", password: "x" }],
    ["security.username", { mechanism: "plain", username: null, password: "x" }],
    ["security.secretKey", { mechanism: "curve", server: true }],
    ["security.secretKey", { mechanism: "curve", serverKey }],
    ["security.serverKey", { mechanism: "curve", secretKey }],
    [
      "security.serverKey contradicts security.server",
      { mechanism: "curve", server: true, secretKey, serverKey },
    ],
    ["security.domain contradicts a client", { mechanism: "curve", secretKey, serverKey, domain: "d" }],
    [
      "security.publicKey contradicts security.secretKey",
      { mechanism: "curve", server: true, secretKey, publicKey: serverKey },
    ],
  ])("a fault in %s is told, and changes nothing: %o", (words, settings) => {
    const socket = dealer({ plainServer: true });
    const told = expect.objectContaining({ name: "TypeError", message: expect.stringContaining(words) });
    expect(() => {
      socket.security = settings as never;
    }).toThrow(told);
    expect(() => dealer({ security: settings })).toThrow(told);
    expect(socket.plainServer).toBe(true);
  });

  it("and one of its parts in one constructor are one too many", () => {
    for (const [name, value] of Object.entries(VALUES)) {
      if (name === "authenticate") continue;
      const fault = expect.objectContaining({
        name: "TypeError",
        message: `security and ${name} cannot be combined: give one of them`,
      });
      expect(() => dealer({ security: client, [name]: value })).toThrow(fault);
      expect(() => dealer({ [name]: value, security: { mechanism: "null" } })).toThrow(fault);
    }
    dealer({ security: client, plainServer: undefined });
  });

  it("of a client contradicts authenticate", () => {
    const fault = expect.objectContaining({
      message: expect.stringMatching(/^security contradicts authenticate: /),
    });
    const socket = dealer({ authenticate: () => true });
    expect(() => {
      socket.security = client;
    }).toThrow(fault);
    expect(socket.securityMechanism).toBeNull();
    expect(() => dealer({ authenticate: () => true, security: client })).toThrow(fault);
    expect(() => dealer({ security: client, authenticate: () => true })).toThrow(
      /^authenticate contradicts /,
    );
    dealer({ authenticate: () => true, security: { mechanism: "plain", server: true } });
  });
});

describe("what is missing is told by bind and connect", () => {
  const secretKey = { curveSecretKey: PAIR.secretKey };
  it.each([
    ["plainPassword", { plainUsername: "user" }],
    ["plainUsername", { plainPassword: "word" }],
    ["curveSecretKey", { curveServer: true }],
    ["curveSecretKey", { curveServerKey: SERVER.publicKey }],
    ["curveServerKey", secretKey],
    ["curveServer", secretKey],
    ["curveServer", { curvePublicKey: PAIR.publicKey }],
    ["curvePublicKey", { ...secretKey, curvePublicKey: SERVER.publicKey, curveServer: true }],
    ["curvePublicKey", { ...secretKey, curvePublicKey: SERVER.publicKey, curveServerKey: SERVER.publicKey }],
    ["zapDomain", { zapEnforceDomain: true }],
    ["zapDomain", { zapEnforceDomain: true, plainServer: true }],
  ])("%s: %o", async (words, options) => {
    const socket = dealer(options);
    const fault = expect.objectContaining({
      name: "ZmqError",
      code: "EINVAL",
      message: expect.stringContaining(words),
    });
    expect(() => socket.connect(NOWHERE)).toThrow(fault);
    expect(() => socket.bindSync("tcp://127.0.0.1:*")).toThrow(fault);
    await expect(socket.bind("tcp://127.0.0.1:*")).rejects.toEqual(fault);
    await expect(socket.bind("ipc://*")).rejects.toEqual(fault);
    expect(socket.lastEndpoint).toBeNull();
    // inproc has no security, and what is missing may follow.
    await socket.bind(`inproc://missing-${Math.random()}`);
  });

  it("nothing is missing of what is complete (O2, P16)", async () => {
    for (const options of [
      { plainServer: true },
      { plainUsername: "", plainPassword: "" },
      { ...secretKey, curveServer: true },
      { ...secretKey, curveServerKey: SERVER.publicKey },
      { ...secretKey, curvePublicKey: PAIR.publicKey, curveServer: true },
      { zapDomain: "d", zapEnforceDomain: true },
    ]) {
      dealer(options).connect(NOWHERE);
    }
  });

  it("a Stream has no handshake, and takes no security for it", async () => {
    for (const options of [
      { plainServer: true },
      { curveServer: true, curveSecretKey: PAIR.secretKey },
      { zapDomain: "d" },
      { authenticate: () => true },
    ]) {
      const stream = new zwire.Stream(options);
      open.push(stream);
      const fault = expect.objectContaining({ code: "EINVAL", message: expect.stringContaining("Stream") });
      await expect(stream.bind("tcp://127.0.0.1:*")).rejects.toEqual(fault);
      expect(() => stream.connect(NOWHERE)).toThrow(fault);
    }
  });
});

it("securityMechanism and number 43 tell what is set, complete or not", () => {
  const expected: Record<string, [string | null, number]> = { plain: ["plain", 1], curve: ["curve", 2] };
  for (const [name, value] of Object.entries(VALUES)) {
    const socket = dealer({ [name]: value });
    const [mechanism, number] = expected[name.slice(0, 5)] ?? [null, 0];
    expect([socket.securityMechanism, socket.getInt32Option(43)], name).toEqual([mechanism, number]);
  }
  const socket = dealer();
  expect(() => {
    (socket as { securityMechanism: unknown }).securityMechanism = "plain";
  }).toThrow(TypeError);
  expect(() => socket.setInt32Option(43, 1)).toThrow(expect.objectContaining({ code: "EINVAL" }));
});

describe("metadata (C17)", () => {
  it("takes a record or a Map, of texts or octets, and reads as a Map of its own", () => {
    const octets = Buffer.from([1, 2]);
    const socket = dealer({ metadata: { "X-a": "b", "X-c.d_e+f-1": octets } });
    octets.fill(0);
    const expected = new Map([
      ["X-a", Buffer.from("b")],
      ["X-c.d_e+f-1", Buffer.from([1, 2])],
    ]);
    expect(socket.metadata).toEqual(expected);
    (socket.metadata as Map<string, Buffer>).clear();
    expect(socket.metadata).toEqual(expected);
    socket.metadata = new Map([["X-a", "c"]]);
    expect(socket.metadata).toEqual(new Map([["X-a", Buffer.from("c")]]));
    socket.metadata = null;
    expect(socket.metadata).toEqual(new Map());
  });

  it("number 95 adds one property at a time", () => {
    const socket = dealer({ metadata: { "X-a": "b" } });
    socket.setStringOption(95, "X-b:c:d");
    socket.setStringOption(95, Buffer.from("X-a:z"));
    expect(socket.metadata).toEqual(
      new Map([
        ["X-a", Buffer.from("z")],
        ["X-b", Buffer.from("c:d")],
      ]),
    );
    expect(() => socket.getStringOption(95)).toThrow(expect.objectContaining({ code: "EINVAL" }));
    for (const bad of ["X-a", "X-a:", "X-:b", "a:b", "x-a:b", "", null]) {
      expect(() => socket.setStringOption(95, bad), `${bad}`).toThrow(
        expect.objectContaining({ code: "EINVAL" }),
      );
    }
  });

  it("is bounded in number and size", () => {
    const many = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`X-${i}`, "v"]));
    dealer({ metadata: many(48) });
    expect(() => dealer({ metadata: many(49) })).toThrow(RangeError);
    dealer({ metadata: { "X-a": Buffer.alloc(32 * 1024 - 3) } });
    expect(() => dealer({ metadata: { "X-a": Buffer.alloc(32 * 1024 - 2) } })).toThrow(RangeError);
  });
});

describe("secrets (P17)", () => {
  const SECRETS = ["pa55word", PAIR.secretKey, "5ocks", zwire.z85Decode(PAIR.secretKey).toString("hex")];
  const views = (socket: zwire.Socket) => [
    inspect(socket, { depth: 9 }),
    inspect(socket, { depth: 9, showHidden: true }),
    JSON.stringify(socket),
    inspect((socket as Loose).security, { depth: 9 }),
    JSON.stringify((socket as Loose).security),
    inspect({ ...coreOf(socket).options }, { depth: 9 }),
    String(socket),
  ];
  const sockets = {
    "a PLAIN client": { plainUsername: "user", plainPassword: "pa55word" },
    "a CURVE client": { security: { mechanism: "curve", serverKey: SERVER.publicKey, ...PAIR } },
    "a CURVE server": { curveServer: true, curveSecretKey: PAIR.secretKey },
  };

  it.each(Object.entries(sockets))(
    "of %s are in no inspection and no JSON, before and after connect",
    (_who, options) => {
      const socket = dealer(options);
      const hex = (text: string) => text.replace(/[\s,]|<Buffer|>/g, "");
      for (const moment of ["before", "after"]) {
        for (const view of views(socket)) {
          for (const secret of SECRETS) expect(hex(view).includes(secret), moment).toBe(false);
        }
        socket.connect(NOWHERE);
      }
      expect(inspect(coreOf(socket).options)).toContain("[hidden]");
      expect(socket.plainPassword ?? socket.curveSecretKey).toBe(
        "plainUsername" in options ? "pa55word" : PAIR.secretKey,
      );
    },
  );

  it("of a SOCKS5 proxy are hidden likewise", () => {
    const socket = dealer({ socksProxy: "127.0.0.1:1", socksUsername: "u", socksPassword: "5ocks" });
    for (const view of views(socket).filter((_, at) => at !== 5)) expect(view).not.toContain("5ocks");
  });

  it("that are refused are in no error", () => {
    const errors: unknown[] = [];
    for (const [name, value] of [
      ["curveSecretKey", `${PAIR.secretKey}pa55word`],
      ["curveSecretKey", `pa55word${"~".repeat(32)}`],
      ["plainPassword", `pa55word${"x".repeat(255)}`],
      ["security", { mechanism: "curve", server: true, secretKey: "pa55word" }],
      ["security", { mechanism: "plain", username: "x", password: `pa55word${"x".repeat(255)}` }],
      [
        "security",
        { mechanism: "curve", server: true, secretKey: PAIR.secretKey, publicKey: SERVER.publicKey },
      ],
    ] as const) {
      try {
        dealer({ [name]: value });
      } catch (error) {
        errors.push(error);
      }
    }
    expect(errors).toHaveLength(6);
    for (const secret of SECRETS)
      expect(inspect(errors, { depth: 9, showHidden: true })).not.toContain(secret);
  });
});
