/** CURVE handshakes, sans I/O (section P), against bytes composed with libsodium. */
import { describe, expect, it } from "vitest";
import { newCrypto } from "../../../src/security/crypto/crypto.js";
import { Handshake, type HandshakeConfig } from "../../../src/wire/zmtp/handshake.js";
import type { Verdict } from "../../../src/wire/zmtp/mechanisms/authentication.js";
import type { CurveCrypto } from "../../../src/wire/zmtp/mechanisms/mechanism.js";
import { ProtocolError } from "../../../src/wire/zmtp/protocol-error.js";
import * as curve from "../../vectors/curve.js";
import { everyWay, TRAILING } from "../../vectors/every-way.js";
import { frame, identity, socketType } from "../../vectors/frames.js";
import { octets, text, zeros } from "../../vectors/octets.js";
import { runHandshake } from "./run.js";

const library = (await newCrypto(true)).curve;

/** What our DEALER says in its metadata. */
const OUR_METADATA = octets(socketType("DEALER"), identity(zeros(0)));

function client(crypto: CurveCrypto = curve.scripted(library, ...curve.CLIENT_RANDOM)): HandshakeConfig {
  return { socketType: "DEALER", security: curve.CLIENT_SECURITY, crypto };
}

function server(ask = false): HandshakeConfig {
  const crypto = curve.scripted(library, ...curve.SERVER_RANDOM);
  return { socketType: "DEALER", security: { ...curve.SERVER_SECURITY, ask }, crypto };
}

const FROM_SERVER = octets(curve.greeting(true), curve.command(curve.WELCOME), curve.command(curve.ready()));
const FROM_CLIENT = octets(
  curve.greeting(false),
  curve.command(curve.HELLO),
  curve.command(curve.initiate()),
);

const BY_CLIENT = octets(
  curve.greeting(false),
  curve.command(curve.HELLO),
  curve.command(curve.initiate({ metadata: OUR_METADATA })),
).toString("hex");
const BY_SERVER = octets(
  curve.greeting(true),
  curve.command(curve.WELCOME),
  curve.command(curve.ready(OUR_METADATA)),
).toString("hex");

describe("golden handshakes", () => {
  it("our client's octets, however the server's are cut (P1, P5, P12)", () => {
    for (const { how, chunks } of everyWay(FROM_SERVER)) {
      const outcome = runHandshake(client(), chunks);
      expect(outcome, how).toMatchObject({ state: "done", leftover: "", sent: BY_CLIENT });
      expect(outcome.peer?.socketType).toBe("DEALER");
    }
  });

  it("our server's octets, however the client's are cut (P3, P7, P12)", () => {
    for (const { how, chunks } of everyWay(FROM_CLIENT)) {
      const outcome = runHandshake(server(), chunks);
      expect(outcome, how).toMatchObject({ state: "done", leftover: "", sent: BY_SERVER });
      expect(outcome.peer?.socketType).toBe("DEALER");
    }
  });

  it("what is glued behind the handshake is left over, in order (C24)", () => {
    for (const { how, chunks } of everyWay(octets(FROM_SERVER, TRAILING))) {
      expect(runHandshake(client(), chunks), how).toMatchObject({ leftover: TRAILING.toString("hex") });
    }
    for (const { how, chunks } of everyWay(octets(FROM_CLIENT, TRAILING))) {
      expect(runHandshake(server(), chunks), how).toMatchObject({ leftover: TRAILING.toString("hex") });
    }
  });

  it("the sizes of RFC 26 (P1, P3, P5)", () => {
    expect(curve.HELLO.length).toBe(200);
    expect(curve.WELCOME.length).toBe(168);
    expect(curve.initiate({ metadata: zeros(0) }).length).toBe(257);
    expect(curve.ready(zeros(0)).length).toBe(30);
  });

  it("both sides count on from the handshake's nonces (P12)", () => {
    const ours = new Handshake(client());
    ours.receive(
      octets(curve.greeting(true), curve.command(curve.WELCOME), curve.command(curve.ready(undefined, 9n))),
    );
    expect(ours.cipher).toMatchObject({
      asServer: false,
      sent: { high: 0, low: 2 },
      received: { high: 0, low: 9 },
    });
    const theirs = new Handshake(server());
    theirs.receive(FROM_CLIENT);
    expect(theirs.cipher).toMatchObject({
      asServer: true,
      sent: { high: 0, low: 1 },
      received: { high: 0, low: 2 },
    });
    expect(theirs.cipher?.key).toEqual(ours.cipher?.key);
  });

  it("destroy wipes the key that a cipher uses (P17)", () => {
    for (const [config, stream] of [
      [client(), FROM_SERVER],
      [server(), FROM_CLIENT],
    ] as const) {
      const handshake = new Handshake(config);
      handshake.receive(stream);
      const key = handshake.cipher!.key;
      expect(Buffer.from(key).equals(zeros(32))).toBe(false);
      handshake.destroy();
      expect(Buffer.from(key)).toEqual(zeros(32));
      handshake.destroy();
    }
  });

  it("a new transient key for every connection (P17)", () => {
    const hello = (): string => {
      const handshake = new Handshake(client(library));
      return handshake.receive(curve.greeting(true)).output!.toString("hex");
    };
    expect(hello()).not.toBe(hello());
  });
});

function failure(config: HandshakeConfig, ...pieces: Buffer[]) {
  const outcome = runHandshake(config, [octets(...pieces)]);
  expect(outcome.state).toBe("failed");
  return { ...outcome.error!, sent: outcome.sent };
}

const changed = (body: Buffer, at: number): Buffer => {
  const copy = Buffer.from(body);
  copy[at < 0 ? copy.length + at : at] ^= 1;
  return copy;
};

describe("what a server refuses", () => {
  const helloSent = curve.greeting(true).toString("hex");

  it.each([
    ["shorter", curve.HELLO.subarray(0, 199)],
    ["longer", octets(curve.HELLO, "00")],
    ["of version 2.0", changed(changed(curve.HELLO, 6), 6).fill(2, 6, 7)],
    ["of version 1.1", changed(curve.HELLO, 7)],
  ])("a HELLO %s, with nothing but a close (P2)", (_, body) => {
    const error = failure(server(), curve.greeting(false), curve.command(body));
    expect(error).toMatchObject({ code: "malformed-hello", zmqCode: 0x10000013, sent: helloSent });
  });

  it.each([80, 115, 119, 120, -1])("a HELLO whose box does not open (octet %i changed) (P2)", (at) => {
    const error = failure(server(), curve.greeting(false), curve.command(changed(curve.HELLO, at)));
    expect(error).toMatchObject({ code: "cryptographic", zmqCode: 0x11000001, sent: helloSent });
  });

  it("a HELLO with a key that shares no secret (P2)", () => {
    const body = Buffer.from(curve.HELLO).fill(0, 80, 112);
    const error = failure(server(), curve.greeting(false), curve.command(body));
    expect(error).toMatchObject({ code: "key-exchange", sent: helloSent });
  });

  it.each([
    ["the cookie's nonce", 9],
    ["the cookie", 60],
    ["the short nonce", 112],
    ["the box", 120],
    ["the metadata", -1],
  ])("an INITIATE with one bit of %s changed (P6, P19)", (_, at) => {
    const body = changed(curve.initiate(), at);
    const error = failure(server(), curve.greeting(false), curve.command(curve.HELLO), curve.command(body));
    expect(error).toMatchObject({ code: "cryptographic" });
  });

  it("a cookie for another client's transient key (P6)", () => {
    const other = curve.keyPair(0x99);
    const cookie = octets(
      curve.COOKIE_NONCE,
      curve.secretBox(
        octets(other.publicKey, curve.SERVER_TRANSIENT.secretKey),
        "COOKIE--",
        curve.COOKIE_NONCE,
        curve.COOKIE_KEY,
      ),
    );
    const stream = [curve.greeting(false), curve.command(curve.HELLO)];
    expect(failure(server(), ...stream, curve.command(curve.initiate({ cookie })))).toMatchObject({
      code: "cryptographic",
    });
  });

  it.each([
    ["C'", octets(curve.keyPair(0x99).publicKey, curve.SERVER.publicKey)],
    [
      "S, as a vouch that another server passes on",
      octets(curve.CLIENT_TRANSIENT.publicKey, curve.keyPair(0x99).publicKey),
    ],
  ])("a vouch that repeats another %s (P6)", (_, vouched) => {
    const stream = [curve.greeting(false), curve.command(curve.HELLO)];
    const error = failure(server(), ...stream, curve.command(curve.initiate({ vouched })));
    expect(error).toMatchObject({ code: "key-exchange", zmqCode: 0x10000003 });
  });

  it("an INITIATE shorter than 257 octets (P5)", () => {
    const body = curve.initiate({ metadata: zeros(0) }).subarray(0, 256);
    const stream = [curve.greeting(false), curve.command(curve.HELLO), curve.command(body)];
    expect(failure(server(), ...stream)).toMatchObject({ code: "malformed-initiate", zmqCode: 0x10000014 });
  });

  it("an INITIATE that comes after a minute (P4)", () => {
    const handshake = new Handshake(server());
    handshake.receive(octets(curve.greeting(false), curve.command(curve.HELLO)));
    handshake.expire();
    expect(() => handshake.receive(curve.command(curve.initiate()))).toThrow(/too old \(RFC 26\)/);
  });

  it("expiry does not touch a handshake that is further (P4)", () => {
    const handshake = new Handshake(server());
    handshake.receive(FROM_CLIENT);
    handshake.expire();
    expect(handshake.state).toBe("done");
    expect(Buffer.from(handshake.cipher!.key).equals(zeros(32))).toBe(false);
  });

  it.each([
    ["INITIATE first", [curve.initiate()]],
    ["a second HELLO", [curve.HELLO, curve.HELLO]],
    ["READY", [curve.ready()]],
    ["no command", [zeros(10)]],
  ])("commands out of order: %s (B6)", (_, bodies) => {
    const error = failure(server(), curve.greeting(false), ...bodies.map(curve.command));
    expect(error).toMatchObject({ code: "unexpected-command", zmqCode: 0x10000001 });
  });

  it("an incompatible socket type is told in an ERROR (C8)", () => {
    const body = curve.initiate({ metadata: socketType("PULL") });
    const error = failure(server(), curve.greeting(false), curve.command(curve.HELLO), curve.command(body));
    expect(error.code).toBe("incompatible-socket-type");
    expect(error.sent).toContain(octets("05", text("ERROR")).toString("hex"));
  });

  it("metadata that is cut short (C18)", () => {
    const body = curve.initiate({ metadata: octets("0b", text("Socket")) });
    const error = failure(server(), curve.greeting(false), curve.command(curve.HELLO), curve.command(body));
    expect(error.code).toBe("invalid-metadata");
  });
});

describe("what a client refuses", () => {
  it.each([8, 24, 100, -1])("a WELCOME whose box does not open (octet %i changed) (P3)", (at) => {
    const error = failure(client(), curve.greeting(true), curve.command(changed(curve.WELCOME, at)));
    expect(error).toMatchObject({ code: "cryptographic", zmqCode: 0x11000001 });
  });

  it.each([
    ["shorter", curve.WELCOME.subarray(0, 167)],
    ["longer", octets(curve.WELCOME, "00")],
  ])("a WELCOME that is %s (P3)", (_, body) => {
    const error = failure(client(), curve.greeting(true), curve.command(body));
    expect(error).toMatchObject({ code: "malformed-welcome", zmqCode: 0x10000017 });
  });

  it("a READY whose box does not open, or that is cut short (P7)", () => {
    const stream = [curve.greeting(true), curve.command(curve.WELCOME)];
    expect(failure(client(), ...stream, curve.command(changed(curve.ready(), -1)))).toMatchObject({
      code: "cryptographic",
    });
    expect(failure(client(), ...stream, curve.command(curve.ready().subarray(0, 29)))).toMatchObject({
      code: "malformed-ready",
      zmqCode: 0x10000016,
    });
  });

  it("ERROR 400 is a refusal by the server's authenticator (D3)", () => {
    const stream = [curve.greeting(true), curve.command(curve.WELCOME)];
    const error = failure(client(), ...stream, frame(4, "05", text("ERROR"), "03", text("400")));
    expect(error).toMatchObject({ code: "authentication-refused", kind: "auth", zmqCode: 400 });
  });

  it("two clients and two servers do not come together (B6)", () => {
    expect(failure(client(), curve.greeting(false), curve.command(curve.HELLO)).code).toBe(
      "unexpected-command",
    );
    expect(failure(server(), curve.greeting(true), curve.command(curve.WELCOME)).code).toBe(
      "unexpected-command",
    );
  });

  it.each(["NULL", "PLAIN", "curve"])(
    "a peer that offers %s: no fallback, and nothing but a greeting (B8)",
    (name) => {
      const error = failure(client(), curve.greeting(true, name));
      expect(error).toMatchObject({
        code: "mechanism-mismatch",
        zmqCode: 0x11000002,
        sent: curve.greeting(false).toString("hex"),
      });
    },
  );

  it("a server key that is no key ends the handshake, not the process", () => {
    const security = { ...curve.CLIENT_SECURITY, serverKey: zeros(32) };
    const crypto = curve.scripted(library, ...curve.CLIENT_RANDOM);
    expect(failure({ socketType: "DEALER", security, crypto }, curve.greeting(true)).code).toBe(
      "key-exchange",
    );
  });
});

describe("an authenticator in between", () => {
  const verdict = (status: Verdict["status"], more: Partial<Verdict> = {}): Verdict => ({
    status,
    text: "because",
    userId: "",
    metadata: new Map(),
    ...more,
  });

  function asking(): { handshake: Handshake; sent: string } {
    const handshake = new Handshake(server(true));
    const { output, done } = handshake.receive(FROM_CLIENT);
    expect(done).toBe(false);
    return { handshake, sent: output!.toString("hex") };
  }

  it("is asked about the client's long-term key, once INITIATE is proved (Q3)", () => {
    const { handshake, sent } = asking();
    expect(handshake.question).toEqual({ mechanism: "CURVE", publicKey: curve.CLIENT.publicKey });
    expect(sent).toBe(curve.command(curve.WELCOME).toString("hex"));
  });

  it("200 lets it in, with a user id and metadata that the peer cannot forge (Q7)", () => {
    const metadata = octets(
      socketType("DEALER"),
      "07",
      text("user-id"),
      "00000004 726f6f74",
      "03",
      text("X-a"),
      "00000001 31",
    );
    const handshake = new Handshake(server(true));
    handshake.receive(
      octets(curve.greeting(false), curve.command(curve.HELLO), curve.command(curve.initiate({ metadata }))),
    );
    const { output, done } = handshake.answer(
      verdict(200, { userId: "alice", metadata: new Map([["X-A", text("2")]]) }),
    );
    expect(done).toBe(true);
    expect(output).toEqual(curve.command(curve.ready(OUR_METADATA)));
    expect([...handshake.peer.metadata]).toEqual([
      ["Socket-Type", text("DEALER")],
      ["X-A", text("2")],
      ["User-Id", text("alice")],
    ]);
    expect(handshake.question).toBeNull();
  });

  it.each([400, 500] as const)("%i is told in an ERROR (P15, Q9)", (status) => {
    const { handshake } = asking();
    let thrown: unknown;
    try {
      handshake.answer(verdict(status));
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ProtocolError);
    expect(thrown).toMatchObject({ code: "authentication-denied", kind: "auth", zmqCode: status });
    expect((thrown as ProtocolError).reply).toEqual(
      frame(4, "05", text("ERROR"), "03", text(String(status))),
    );
  });

  it("300 is told to nobody (Q8)", () => {
    const { handshake } = asking();
    let thrown: unknown;
    try {
      handshake.answer(verdict(300));
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: "authentication-denied", zmqCode: 300, reply: undefined });
  });

  it("what comes before the answer is kept, in order, and bounded", () => {
    const { handshake } = asking();
    handshake.receive(TRAILING.subarray(0, 3));
    handshake.receive(TRAILING.subarray(3));
    expect(handshake.answer(verdict(200)).leftover).toEqual(TRAILING);
    const flooded = asking().handshake;
    expect(() => {
      for (let i = 0; i < 20; i++) flooded.receive(zeros(64 * 1024));
    }).toThrow(/too much before its authentication/);
  });
});
