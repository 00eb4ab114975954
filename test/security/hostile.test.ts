/**
 * Hostile peers over real connections, towards servers and clients under PLAIN and CURVE: every step of the handshake
 * changed, repeated, left out, cut short, made longer or replayed, and what comes after it. Each time that one
 * connection closes, an event says why, nothing reaches the application, and a good peer beside it notices nothing.
 * Every byte is flipped in unit/zmtp/hostile-handshake; here a sample is.
 */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Pull, Push } from "../../src/index.js";
import { besideGoodPeer, reason } from "../support/good-peer.js";
import { managed, rawDial, rawListen, record, temporaryDirectory, until } from "../support/helpers.js";
import { command, commandBody, frame, greeting, message, ping, type RawPeer } from "../support/raw-peer.js";
import { CurveClient, CurveServer, keyPair, random } from "../support/scripted/curve.js";
import { PlainClient } from "../support/scripted/plain.js";
import { flip, say, shake, type Tamper } from "../support/scripted/script.js";
import { CLIENT, CURVE, PLAIN, refused, SERVER, USER } from "../support/scripted/secured.js";

type Rig = Awaited<ReturnType<typeof besideGoodPeer>>;

/** A change to one step; what it does is in its name. */
type Change = readonly [what: string, step: string, change: (octets: Buffer, body: Buffer) => Buffer];

const longer = (_: Buffer, body: Buffer) => frame(Buffer.concat([body, Buffer.of(0)]), { command: true });
const shorter = (octets: number) => (_: Buffer, body: Buffer) =>
  frame(body.subarray(0, body.length - octets), { command: true });
const nothing = () => Buffer.alloc(0);
const named = (name: string) => (_: Buffer, body: Buffer) => command(name, body.subarray(1 + body[0]));
const tampering = ([, step, change]: Change): Tamper => {
  return (name, octets, body) => (name === step ? change(octets, body) : octets);
};

/** Changes that spoil any command of either mechanism. */
function spoils(step: string): Change[] {
  return [
    ["repeated", step, (octets) => Buffer.concat([octets, octets])],
    ["cut by one octet", step, shorter(1)],
    ["cut to its name", step, (_, body) => frame(body.subarray(0, 1 + body[0]), { command: true })],
    ["an empty command", step, () => frame("", { command: true })],
    ["a name longer than the command", step, (_, body) => frame(flip(body, 0), { command: true })],
    ["READY in its place", step, named("READY")],
    ["MESSAGE in its place", step, named("MESSAGE")],
    ["an unknown command in its place", step, named("HULLO")],
    ["a PING before it", step, (octets) => Buffer.concat([ping(0, "x"), octets])],
    ["a message before it", step, (octets) => Buffer.concat([message("foreign"), octets])],
    ["64 KiB of zeros in its place", step, () => command(step, Buffer.alloc(65_536))],
    ["random octets in its place", step, () => random(300)],
  ];
}

const curveSpoils = (step: string, flips: number[]): Change[] => [
  ...spoils(step),
  ["one octet longer", step, longer],
  ["cut by half", step, (octets, body) => shorter(Math.floor(body.length / 2))(octets, body)],
  ...flips.map(
    (at): Change => [`octet ${at} flipped`, step, (_, body) => frame(flip(body, at), { command: true })],
  ),
];

/** After what may still look like a success to the attacker: its messages must not arrive. */
async function attack(rig: Rig, peer: RawPeer, script: CurveClient | PlainClient, nth: number, what: string) {
  try {
    if (!(await refused(peer, script))) say(peer, script, "foreign");
    await peer.closed();
  } catch (error) {
    throw new Error(what, { cause: error });
  }
  const event = await reason(rig.events, nth);
  expect(rig.events.of("handshake:error:").length, what).toBe(nth);
  expect(rig.state.foreign, what).toBe(0);
  return event;
}

function endpoints() {
  return [
    ["tcp", () => "tcp://127.0.0.1:*"],
    ["ipc", () => `ipc://${join(temporaryDirectory(), "s")}`],
  ] as const;
}

const LONG = { handshakeInterval: 20_000 };

describe.each(endpoints())("a CURVE server over %s (P19)", (_, endpoint) => {
  it("refuses every changed HELLO and INITIATE", async () => {
    const rig = await besideGoodPeer({ ...CURVE.server, ...LONG }, CURVE.client, endpoint());
    const changes = [
      ...curveSpoils("HELLO", [0, 1, 5, 6, 7, 80, 105, 112, 113, 150, 199]),
      ...curveSpoils("INITIATE", [0, 8, 9, 24, 104, 105, 112, 113, 150, 250, 276]),
    ];
    let failures = 0;
    for (const change of changes) {
      const peer = await rawDial(rig.endpoint);
      const script = new CurveClient(SERVER.publicKey, { type: "PUSH", tamper: tampering(change) }, CLIENT);
      const { type } = await attack(rig, peer, script, ++failures, `${change[1]}: ${change[0]}`);
      expect(type, `${change[1]}: ${change[0]}`).toBe("handshake:error:protocol");
    }
    await rig.unharmed();
  });
});

describe("a CURVE server", () => {
  const type = "PUSH";
  const client = () => new CurveClient(SERVER.publicKey, { type }, CLIENT);

  it("refuses wrong keys: the server's, the client's, and a vouch of somebody else (P2, P6)", async () => {
    const rig = await besideGoodPeer({ ...CURVE.server, ...LONG }, CURVE.client);
    const wrong: Array<[what: string, script: CurveClient]> = [
      ["another server's key", new CurveClient(keyPair().publicKey, { type })],
      ["a key of zeros", new CurveClient(Buffer.alloc(32, 9), { type })],
    ];
    const impostor = client();
    impostor.keys = { publicKey: CLIENT.publicKey, secretKey: keyPair().secretKey };
    wrong.push(["a client's key without its secret", impostor]);
    const borrowed = client();
    const other = client();
    // A vouch that C gave for another connection (another C').
    borrowed.vouch = () => {
      other.theirTransient = borrowed.theirTransient;
      return other.vouch();
    };
    wrong.push(["a vouch for another transient key", borrowed]);
    const elsewhere = client();
    const vouch = elsewhere.vouch.bind(elsewhere);
    // A vouch that C gave to another server: what a malicious server can pass on.
    elsewhere.vouch = () => {
      elsewhere.serverKey = keyPair().publicKey;
      return vouch();
    };
    wrong.push(["a vouch for another server", elsewhere]);
    for (const [i, [what, script]] of wrong.entries()) {
      await attack(rig, await rawDial(rig.endpoint), script, i + 1, what);
    }
    await rig.unharmed();
  });

  it("refuses a replayed INITIATE: of another connection, and of another client (P12, P4)", async () => {
    const rig = await besideGoodPeer({ ...CURVE.server, ...LONG }, CURVE.client);
    const recorded = new Map<string, Buffer>();
    const recording = new CurveClient(
      SERVER.publicKey,
      {
        type,
        tamper: (step, octets) => {
          recorded.set(step, octets);
          return octets;
        },
      },
      CLIENT,
    );
    const first = await rawDial(rig.endpoint);
    await shake(first, recording);
    // The whole of it again, word for word.
    const second = await rawDial(rig.endpoint);
    second.write(greeting(recording.greeting), recorded.get("HELLO")!, recorded.get("INITIATE")!);
    await second.closed();
    await reason(rig.events, 1);
    // Behind a HELLO of its own.
    const third = await rawDial(rig.endpoint);
    const tamper: Tamper = (step, octets) => (step === "INITIATE" ? recorded.get(step)! : octets);
    await attack(rig, third, new CurveClient(SERVER.publicKey, { type, tamper }, CLIENT), 2, "third");
    // In the same connection, once more: the first one is lost by it.
    first.write(recorded.get("INITIATE")!);
    await first.closed();
    await reason(rig.events, 3);
    expect(rig.state.foreign).toBe(0);
    await rig.unharmed();
  });

  it("refuses steps left out or out of order", async () => {
    const rig = await besideGoodPeer({ ...CURVE.server, ...LONG }, CURVE.client);
    const orders: Array<[what: string, octets: (script: CurveClient) => Buffer]> = [
      ["INITIATE without HELLO", (script) => script.say("INITIATE", random(250))],
      ["MESSAGE without HELLO", () => frame(commandBody("MESSAGE", random(40)))],
      ["READY from a client", () => command("READY", random(60))],
      ["WELCOME from a client", () => command("WELCOME", random(160))],
      ["a message in the clear", () => message("foreign")],
      ["MESSAGE after HELLO", (script) => Buffer.concat([script.begin(), message("foreign")])],
    ];
    for (const [i, [what, octets]] of orders.entries()) {
      const peer = await rawDial(rig.endpoint);
      const script = client();
      peer.write(greeting(script.greeting), octets(script));
      await peer.closed();
      await reason(rig.events, i + 1);
      expect(rig.state.foreign, what).toBe(0);
    }
    await rig.unharmed();
  });

  it("an ERROR from the client closes (D2)", async () => {
    const rig = await besideGoodPeer({ ...CURVE.server, ...LONG }, CURVE.client);
    const peer = await rawDial(rig.endpoint);
    peer.write(greeting(client().greeting), command("ERROR", "\x03400"));
    await peer.closed();
    await reason(rig.events, 1);
    await rig.unharmed();
  });

  /** What an attacker in the middle, or a wrong peer, may do after the handshake. Good bytes come first. */
  const after: Array<[what: string, octets: (script: CurveClient) => Buffer, delivered: number]> = [
    [
      "CVE-2014-7203 a MESSAGE replayed",
      (script) => {
        const first = script.seal(0, "foreign");
        return Buffer.concat([first, first]);
      },
      1,
    ],
    [
      "CVE-2014-7203 an older MESSAGE replayed",
      (script) => {
        const first = script.seal(0, "foreign");
        return Buffer.concat([first, script.seal(0, "foreign"), first]);
      },
      2,
    ],
    [
      "CVE-2014-7203 MESSAGEs reordered",
      (script) => {
        const first = script.seal(0, "foreign");
        return Buffer.concat([script.seal(0, "foreign"), first]);
      },
      1,
    ],
    ["nonce 0", (script) => frame(script.message(0, "foreign", 0n)), 0],
    ["a nonce of the handshake again", (script) => frame(script.message(0, "foreign", 2n)), 0],
    [
      "a nonce after 2^64 - 1: it has wrapped",
      (script) =>
        Buffer.concat([
          frame(script.message(0, "foreign", 2n ** 64n - 1n)),
          frame(script.message(0, "foreign", 0n)),
        ]),
      1,
    ],
    [
      "2^64 - 1 twice",
      (script) => {
        const last = frame(script.message(0, "foreign", 2n ** 64n - 1n));
        return Buffer.concat([last, last]);
      },
      1,
    ],
    [
      "another key",
      (script) => {
        script.transient = keyPair();
        return script.seal(0, "foreign");
      },
      0,
    ],
    ["a message in the clear", () => message("foreign"), 0],
    ["a PING in the clear", () => ping(0, "x"), 0],
    ["SUBSCRIBE in the clear", () => command("SUBSCRIBE", "foreign"), 0],
    ["an empty frame", () => frame(""), 0],
    ["an empty MESSAGE", () => frame(commandBody("MESSAGE")), 0],
    ["MESSAGE with a nonce alone", () => frame(commandBody("MESSAGE", Buffer.alloc(8, 255))), 0],
    ["MESSAGE of 32 octets", () => frame(commandBody("MESSAGE", Buffer.alloc(24, 255))), 0],
    ["MESSAGE of random octets", () => frame(commandBody("MESSAGE", random(100))), 0],
    ["MESSAGE longer by an octet", (script) => frame(Buffer.concat([script.message(0, "x"), random(1)])), 0],
    ["MESSAGE cut by an octet", (script) => frame(script.message(0, "foreign").subarray(0, -1)), 0],
    ["MESSAGF", (script) => frame(flip(script.message(0, "foreign"), 7, 1)), 0],
    ["the server's own MESSAGE sent back", (script) => ownWords(script), 0],
    ["HELLO once more", (script) => script.begin(), 0],
    [
      "a box of 64 KiB cut short",
      (script) => frame(script.message(0, "x".repeat(65_536)).subarray(0, -1)),
      0,
    ],
  ];

  /** A box under the same keys, but with the prefix of the other direction. */
  function ownWords(script: CurveClient): Buffer {
    const mirror = new CurveServer(SERVER, { type: "PULL" });
    mirror.transient = script.transient;
    mirror.theirTransient = script.theirTransient;
    return frame(mirror.message(0, "foreign", 100n));
  }

  it.each(after)("closes at %s (P13, P14)", async (_, octets, delivered) => {
    const rig = await besideGoodPeer({ ...CURVE.server, handshakeInterval: 400 }, CURVE.client);
    const peer = await rawDial(rig.endpoint);
    const script = client();
    await shake(peer, script);
    peer.write(octets(script), script.seal(0, "foreign"));
    await peer.closed();
    const event = await reason(rig.events, 1);
    expect(event.type).toBe("handshake:error:protocol");
    expect(event.peer!.socketType).toBe("PUSH");
    await until(() => rig.state.foreign >= delivered, `${delivered} messages before that`);
    expect(rig.state.foreign).toBe(delivered);
    await rig.unharmed();
    expect(rig.state.foreign).toBe(delivered);
  });

  it("closes at any flipped octet of a MESSAGE", async () => {
    const rig = await besideGoodPeer({ ...CURVE.server, handshakeInterval: 400 }, CURVE.client);
    for (let at = 0; at < 33 + "foreign".length; at++) {
      const peer = await rawDial(rig.endpoint);
      const script = client();
      await shake(peer, script);
      peer.write(frame(flip(script.message(0, "foreign"), at)));
      await peer.closed();
      await reason(rig.events, at + 1);
    }
    expect(rig.state.foreign).toBe(0);
    await rig.unharmed();
  });

  it("gaps between nonces are allowed, up to the last one (P13)", async () => {
    const rig = await besideGoodPeer({ ...CURVE.server, handshakeInterval: 400 }, CURVE.client);
    const peer = await rawDial(rig.endpoint);
    const script = client();
    await shake(peer, script);
    for (const value of [3n, 5n, 2n ** 32n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
      peer.write(frame(script.message(0, "foreign", value)));
    }
    await until(() => rig.state.foreign === 7, "all of them come");
    await rig.unharmed();
  });

  it("nothing of a message is delivered whose second part is forged (E9)", async () => {
    const rig = await besideGoodPeer({ ...CURVE.server, handshakeInterval: 400 }, CURVE.client);
    const peer = await rawDial(rig.endpoint);
    const script = client();
    await shake(peer, script);
    peer.write(script.seal(1, "foreign"), frame(flip(script.message(0, "foreign"), 30)));
    await peer.closed();
    await reason(rig.events, 1);
    await rig.unharmed();
    expect(rig.state.foreign).toBe(0);
  });
});

describe("a PLAIN server", () => {
  const changes: Change[] = [
    ...spoils("HELLO"),
    ["O4 an octet behind the password", "HELLO", longer],
    ["a user name longer than the command", "HELLO", () => command("HELLO", "\xffuser")],
    ["a password longer than the command", "HELLO", () => command("HELLO", "\x04user\xffsecret")],
    ["no password", "HELLO", () => command("HELLO", "\x04user")],
    ["another password", "HELLO", () => command("HELLO", "\x04user\x06Secret")],
    ["another user", "HELLO", () => command("HELLO", "\x04root\x06secret")],
    ["the password and a NUL", "HELLO", () => command("HELLO", "\x04user\x07secret\0")],
    ["half of the password", "HELLO", () => command("HELLO", "\x04user\x03sec")],
    ["empty ones", "HELLO", () => command("HELLO", "\0\0")],
    // No metadata is no fault (C6), and an unknown command after the handshake is ignored (F18).
    ...spoils("INITIATE").filter(([what]) => what !== "cut to its name" && what !== "repeated"),
    ["left out", "INITIATE", nothing],
  ];

  it("refuses every changed HELLO and INITIATE (O5, O6)", async () => {
    const rig = await besideGoodPeer({ ...PLAIN.server, handshakeInterval: 700 }, PLAIN.client);
    for (const [i, change] of changes.entries()) {
      const peer = await rawDial(rig.endpoint);
      const script = new PlainClient({ type: "PUSH", ...USER, tamper: tampering(change) });
      await attack(rig, peer, script, i + 1, `${change[1]}: ${change[0]}`);
    }
    await rig.unharmed();
  });

  it("credentials that are no UTF-8 are nobody's: they do not all become the same text (O1)", async () => {
    const asked: string[] = [];
    const authenticate = (request: { password?: string }) => {
      asked.push(request.password!);
      return request.password === "\ufffd\ufffd" || request.password === USER.password;
    };
    const rig = await besideGoodPeer({ ...PLAIN.server, authenticate, ...LONG }, PLAIN.client);
    for (const [i, password] of ["\xff\xfe", "\xc0\x80", "\x80\x80"].entries()) {
      const peer = await rawDial(rig.endpoint);
      const hello = Buffer.concat([Buffer.from("\x04user\x02"), Buffer.from(password, "latin1")]);
      const tamper = tampering(["", "HELLO", () => command("HELLO", hello)]);
      await attack(rig, peer, new PlainClient({ type: "PUSH", ...USER, tamper }), i + 1, password);
    }
    expect(asked).toEqual([USER.password]);
    await rig.unharmed();
  });

  it("refuses steps left out (O5)", async () => {
    const rig = await besideGoodPeer({ ...PLAIN.server, ...LONG }, PLAIN.client);
    const script = new PlainClient({ type: "PUSH", ...USER });
    const steps = [
      command("INITIATE", "\x0bSocket-Type\0\0\0\x04PUSH"),
      command("WELCOME"),
      command("READY", "\x0bSocket-Type\0\0\0\x04PUSH"),
      message("foreign"),
    ];
    for (const [i, octets] of steps.entries()) {
      const peer = await rawDial(rig.endpoint);
      peer.write(greeting(script.greeting), octets, message("foreign"));
      await peer.closed();
      await reason(rig.events, i + 1);
    }
    expect(rig.state.foreign).toBe(0);
    await rig.unharmed();
  });
});

/** What a server does to zwire's client. PLAIN protects nothing, so that some changes to READY pass for another READY. */
const WELCOMES: Record<string, Change[]> = {
  CURVE: [
    ...curveSpoils("WELCOME", [0, 1, 7, 8, 23, 24, 40, 100, 167]),
    ...curveSpoils("READY", [0, 1, 5, 6, 13, 14, 30, 49]).filter(([what]) => what !== "repeated"),
  ],
  PLAIN: [
    ...spoils("WELCOME").filter(([what]) => what !== "cut to its name"), // which is all that there is of it
    ["O2 an octet in it", "WELCOME", longer],
    ...spoils("READY").filter(([what]) => what !== "cut to its name" && what !== "repeated"),
  ],
};

describe.each([PLAIN, CURVE])("a $name client", (mechanism) => {
  async function dialled() {
    const listener = await rawListen();
    const push = managed(new Push({ ...mechanism.client, ...LONG }));
    const events = record(push);
    const sent = push.send("for the good server");
    push.connect(listener.endpoint);
    return { listener, events, sent };
  }

  it("leaves a server that changes WELCOME or READY, and tells it nothing of the application", async () => {
    const cases = WELCOMES[mechanism.name].filter(
      ([what, step]) => !(step === "READY" && what === "READY in its place"),
    );
    const attacked = async (change: Change) => {
      const what = `${change[1]}: ${change[0]}`;
      const { listener, events } = await dialled();
      const peer = await listener.accept();
      const script = mechanism.serverScript({ type: "PULL", tamper: tampering(change) });
      await refusedByClient(peer, script, what);
      expect((await events.next("handshake:error:")).error, what).toBeInstanceOf(Error);
      expect(events.of("handshake"), what).toHaveLength(0);
    };
    await Promise.all(cases.map(attacked));
  });

  it("keeps what it was to send for the good server that comes after a bad one", async () => {
    const { listener, sent } = await dialled();
    const bad = await listener.accept();
    const tamper = tampering(["", "READY", named("WELCOME")]);
    await refusedByClient(bad, mechanism.serverScript({ type: "PULL", tamper }), "");
    const good = await listener.accept();
    const script = mechanism.serverScript({ type: "PULL" });
    await shake(good, script);
    const outer = await good.readFrame();
    expect(String(script.open(outer.flags, outer.body).body)).toBe("for the good server");
    await sent;
  });
});

/** The client leaves; whatever it sent before must not be a message. */
async function refusedByClient(peer: RawPeer, script: ReturnType<typeof CURVE.serverScript>, what: string) {
  peer.write(greeting(script.greeting));
  const told: string[] = [];
  try {
    await peer.readGreeting();
    peer.write(script.begin());
    while (!script.done) peer.write(script.next((await peer.readFrame()).body));
    told.push((await peer.readFrame()).body.toString("latin1"));
  } catch {
    await peer.closed(); // or it is this that fails
  }
  expect(told, what).toEqual([]);
}

describe("a CURVE client", () => {
  it("leaves a server that has not the secret of the key it was told (P3)", async () => {
    const listener = await rawListen();
    const push = managed(new Push({ ...CURVE.client, ...LONG }));
    const events = record(push);
    push.connect(listener.endpoint);
    const peer = await listener.accept();
    peer.write(greeting({ mechanism: "CURVE", asServer: 1 }));
    await peer.readGreeting();
    const { body } = await peer.readFrame();
    const script = new CurveServer(keyPair(), { type: "PULL" });
    script.theirTransient = Buffer.from(body.subarray(80, 112)); // without opening what is not for it
    peer.write(script.say("WELCOME", script.welcome()));
    await peer.closed();
    await events.next("handshake:error:protocol");
    expect(events.of("handshake")).toHaveLength(0);
  });

  const forgeries: Array<(script: CurveServer) => Buffer> = [
    (script) => frame(script.message(0, "bad", 1n)),
    (script) => frame(script.message(0, "bad", 0n)),
    (script) => frame(flip(script.message(0, "bad"), 20)),
    () => message("bad"),
    () => ping(0, "x"),
  ];

  it("leaves a server that replays, reorders or forges a MESSAGE (P13, P14)", async () => {
    const attacked = async (forge: (script: CurveServer) => Buffer) => {
      const listener = await rawListen();
      const pull = managed(new Pull(CURVE.client));
      const events = record(pull);
      pull.connect(listener.endpoint);
      const peer = await listener.accept();
      const script = new CurveServer(SERVER, { type: "PUSH" });
      await shake(peer, script);
      peer.write(script.seal(0, "good"), forge(script), script.seal(0, "bad"));
      await peer.closed();
      expect(String((await pull.receive({ timeout: 5000 }))[0])).toBe("good");
      await events.next("handshake:error:protocol");
      expect(pull.tryReceive()).toBeUndefined();
    };
    await Promise.all(forgeries.map(attacked));
  });

  it("says another transient key in each connection (P17)", async () => {
    const listener = await rawListen();
    const push = managed(new Push({ ...CURVE.client, reconnectInterval: 1 }));
    push.connect(listener.endpoint);
    const keys = new Set<string>();
    for (let i = 0; i < 10; i++) {
      const peer = await listener.accept();
      peer.write(greeting({ mechanism: "CURVE" }));
      await peer.readGreeting();
      keys.add((await peer.readFrame()).body.toString("hex", 80, 112));
      peer.close();
    }
    expect(keys.size).toBe(10);
    expect(keys.has(CLIENT.publicKey.toString("hex"))).toBe(false);
  });
});
