/** Whole handshakes, sans I/O: sections A to E, every vector in every way that bytes may be cut. */
import { describe, expect, it, vi } from "vitest";
import { Handshake, type HandshakeConfig } from "../../../src/wire/zmtp/handshake.js";
import { ProtocolError } from "../../../src/wire/zmtp/protocol-error.js";
import { BAD_HANDSHAKES } from "../../vectors/bad-handshake.js";
import { everyWay, TRAILING, titled } from "../../vectors/every-way.js";
import { greetingWith, identity, longFrame, ready, socketType } from "../../vectors/frames.js";
import { OUR_GREETING } from "../../vectors/greeting.js";
import { GOOD_HANDSHAKES } from "../../vectors/handshake.js";
import { BAD_LEGACY_HANDSHAKES, LEGACY_HANDSHAKES } from "../../vectors/legacy-handshake.js";
import { octets, text } from "../../vectors/octets.js";
import { curveCrypto } from "./curve-crypto.js";
import { runHandshake } from "./run.js";

const crypto = await curveCrypto();
const PULL: HandshakeConfig = { socketType: "PULL" };
const PUSH_READY = ready(socketType("PUSH"));
const PULL_READY = ready(socketType("PULL"));

/** All that we send in a handshake that gets as far as READY. */
function sentBy(config: HandshakeConfig): string {
  return runHandshake(config, [OUR_GREETING]).sent;
}

/** What we say in READY. */
function ourReady(config: HandshakeConfig): Buffer {
  return Buffer.from(sentBy(config), "hex").subarray(64);
}

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

describe("handshakes that succeed", () => {
  it.each(titled(GOOD_HANDSHAKES))("%s", (_, { config, octets: whole, peer }) => {
    const expected = { major: 3, minor: 1, commands: true, routingId: Buffer.alloc(0), ...peer };
    const { properties, ...description } = expected;
    for (const { how, chunks } of everyWay(whole)) {
      const outcome = runHandshake(config, chunks);
      expect(outcome, how).toMatchObject({
        state: "done",
        leftover: "",
        sent: sentBy(config),
        peer: description,
      });
      if (properties !== undefined) expect([...outcome.peer!.metadata], how).toEqual(properties);
    }
  });

  it.each(titled(GOOD_HANDSHAKES))(
    "what is glued behind READY is left over in order: %s (C24, A23)",
    (_, vector) => {
      for (const { how, chunks } of everyWay(octets(vector.octets, TRAILING))) {
        const outcome = runHandshake(vector.config, chunks);
        expect(outcome, how).toMatchObject({ state: "done", leftover: TRAILING.toString("hex") });
      }
    },
  );

  it.each(titled(GOOD_HANDSHAKES))(
    "every octet but the last leaves it waiting: %s (A25)",
    (_, { config, octets: whole }) => {
      for (let length = 0; length < whole.length; length++) {
        const { state, error } = runHandshake(config, [whole.subarray(0, length)]);
        expect(error).toBeUndefined();
        expect(state).toBe(length < 64 ? "greeting" : "mechanism");
      }
    },
  );
});

describe("peers of ZMTP 2.0", () => {
  it.each(titled(LEGACY_HANDSHAKES))("%s", (_, { config, octets: whole, peer, says }) => {
    const sent = octets(OUR_GREETING.subarray(0, 11), says).toString("hex");
    const description = { major: 2, minor: 0, commands: false, legacy: true, metadata: new Map(), ...peer };
    for (const { how, chunks } of everyWay(whole)) {
      expect(runHandshake(config, chunks), how).toEqual({
        sent,
        state: "done",
        leftover: "",
        peer: description,
      });
    }
    for (const { how, chunks } of everyWay(octets(whole, TRAILING))) {
      const leftover = TRAILING.toString("hex");
      expect(runHandshake(config, chunks), how).toEqual({ sent, state: "done", leftover, peer: description });
    }
    for (let length = 0; length < whole.length; length++) {
      const { state } = runHandshake(config, [whole.subarray(0, length)]);
      expect(state).toBe(length < 11 ? "greeting" : "legacy");
    }
  });

  it.each(titled(BAD_LEGACY_HANDSHAKES))("%s", (_, { config, octets: whole, code, says }) => {
    const sent = octets(OUR_GREETING.subarray(0, 11), says).toString("hex"); // no ERROR: it knows no commands
    for (const vector of [whole, octets(whole, TRAILING)]) {
      for (const { how, chunks } of everyWay(vector)) {
        const outcome = runHandshake({ crypto, ...config }, chunks);
        expect(outcome, how).toMatchObject({ sent, state: "failed", error: { code, kind: "protocol" } });
        expect(outcome.failedAfter, how).toBeLessThanOrEqual(vector.length);
      }
    }
  });
});

describe("handshakes that fail", () => {
  it.each(titled(BAD_HANDSHAKES))("%s", (_, vector) => {
    const { config, code, rule, count, zmqCode = 0, kind = "protocol", answered = false } = vector;
    const whole = runHandshake(config, [vector.octets]);
    expect(whole).toMatchObject({ state: "failed", leftover: "", error: { code, zmqCode, kind } });
    expect(whole.error?.rule).toContain(rule);
    expect(whole.error?.message).toMatch(/ \(RFC \d+( §.+)?\)$/);
    if (count !== undefined) expect(whole.error?.octets).toBe(count);
    const reply = Buffer.from(whole.sent, "hex").subarray(64 + PULL_READY.length);
    expect(reply.includes("\x05ERROR")).toBe(answered);
    for (const { how, chunks } of everyWay(vector.octets)) {
      expect({ ...runHandshake(config, chunks), failedAfter: 0 }, how).toEqual({ ...whole, failedAfter: 0 });
    }
    for (const { how, chunks } of everyWay(octets(vector.octets, TRAILING))) {
      const outcome = runHandshake(config, chunks);
      expect({ ...outcome, failedAfter: 0 }, `trailing, ${how}`).toEqual({ ...whole, failedAfter: 0 });
    }
  });

  it.each(titled(BAD_HANDSHAKES))(
    "our complete greeting goes out whatever comes: %s (B2)",
    (_, { config, octets }) => {
      const { sent } = runHandshake(config, [octets]);
      expect(sent.slice(0, 128)).toBe(OUR_GREETING.toString("hex"));
    },
  );

  it.each(titled(BAD_HANDSHAKES))(
    "a refusal waits for no further octet: %s (A22)",
    (_, { config, octets }) => {
      const chunks = Array.from(octets, (_, at) => octets.subarray(at, at + 1));
      const { failedAfter } = runHandshake(config, chunks);
      // Every vector ends where the verdict can be given.
      expect(failedAfter).toBe(octets.length);
    },
  );

  it("the error names the mechanism that was announced, made printable (B9)", () => {
    const { error } = runHandshake(PULL, [greetingWith(12, text("GSS\x1b[2J\0\x07"))]);
    expect(error?.message).toContain('"GSS?[2J??"');
  });

  it("an incompatible type is answered with an ERROR that says why, behind our READY (C9)", () => {
    const { sent } = runHandshake(PULL, [OUR_GREETING, ready(socketType("SUB"))]);
    const reason = text('PULL cannot talk to "SUB"');
    const error = octets(
      "04",
      Buffer.from([7 + reason.length]),
      "05",
      text("ERROR"),
      Buffer.from([reason.length]),
    );
    expect(sent).toBe(octets(OUR_GREETING, PULL_READY, error, reason).toString("hex"));
  });

  it("the ERROR for a type of 60000 octets stays within 255 (D1)", () => {
    const type = octets("0b", text("Socket-Type"), "0000ea60", Buffer.alloc(60000, 0x0a));
    const { sent } = runHandshake(PULL, [OUR_GREETING, longFrame(4, octets("05", text("READY"), type))]);
    const reply = Buffer.from(sent, "hex").subarray(64 + PULL_READY.length);
    expect(reply).toHaveLength(9 + 6 + 1 + 255);
    expect(reply.toString("latin1", 16)).toMatch(/^PULL cannot talk to "\?+$/);
  });

  it("the peer's reason is in the message, made printable and not longer than it may be (D2)", () => {
    const reason = octets("05", text("ERROR"), "ff", Buffer.from("no\n".repeat(85), "latin1"));
    const { error } = runHandshake(PULL, [OUR_GREETING, longFrame(4, reason)]);
    expect(error?.message).toContain("no?no?no?");
    expect(error?.message).not.toContain("\n");
  });

  it("a command is refused by its header; memory grows with what has come, not with what was announced (C20, E4)", () => {
    const before = process.memoryUsage().arrayBuffers;
    const config = { ...PULL, maxHandshakeBytes: 2 ** 31 };
    const waiting = Array.from({ length: 10 }, () => {
      const handshake = new Handshake(config);
      handshake.receive(octets(OUR_GREETING, "06 0000000004000000", Buffer.alloc(100)));
      return handshake;
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10 << 20);
    expect(waiting.every(({ state }) => state === "mechanism")).toBe(true);
    const { error } = runHandshake(PULL, [OUR_GREETING, octets("06 0000000000010001")]);
    expect(error).toMatchObject({ code: "handshake-too-large", octets: 65537 });
  });

  it("reassembly octet by octet takes memory in proportion to the octets (A23)", () => {
    const size = 60_000;
    const command = longFrame(
      4,
      octets("05", text("READY"), "01", text("x"), "0000ea60", Buffer.alloc(size)),
    );
    const handshake = new Handshake(PULL);
    const whole = octets(OUR_GREETING, command);
    const alloc = vi.spyOn(Buffer, "alloc");
    const concat = vi.spyOn(Buffer, "concat");
    try {
      for (let at = 0; at < whole.length; at++) handshake.receive(whole.subarray(at, at + 1));
      expect(handshake.state).toBe("done");
      const taken = alloc.mock.calls.reduce((sum, [octets]) => sum + octets, 0);
      expect(taken).toBeGreaterThanOrEqual(size);
      expect(taken).toBeLessThan(4 * size);
      expect(concat).not.toHaveBeenCalled();
    } finally {
      alloc.mockRestore();
      concat.mockRestore();
    }
  });

  it("a handshake that is over takes no more octets: that would be our own mistake", () => {
    const failed = new Handshake(PULL);
    expect(thrownBy(() => failed.receive(text("GET /")))).toBeInstanceOf(ProtocolError);
    expect(thrownBy(() => failed.receive(OUR_GREETING))).not.toBeInstanceOf(ProtocolError);
    const done = new Handshake(PULL);
    done.receive(octets(OUR_GREETING, PUSH_READY));
    expect(thrownBy(() => done.receive(TRAILING))).not.toBeInstanceOf(ProtocolError);
    expect(() => new Handshake(PULL).peer).toThrow("assertion");
  });

  it("an error's reply does not show when the error is logged", () => {
    const handshake = new Handshake(PULL);
    const error = thrownBy(() => handshake.receive(octets(OUR_GREETING, ready(socketType("SUB")))));
    expect((error as ProtocolError).reply).toBeInstanceOf(Buffer);
    expect(Object.keys(error as object)).not.toContain("reply");
  });
});

describe("what we send", () => {
  it("signature and revision go at once, the rest as soon as the peer's revision is known (A1, A4, B3)", () => {
    const handshake = new Handshake(PULL);
    expect(handshake.start()).toEqual(OUR_GREETING.subarray(0, 11));
    expect(handshake.receive(OUR_GREETING.subarray(0, 10)).output).toBeUndefined();
    expect(handshake.receive(OUR_GREETING.subarray(10, 11)).output).toEqual(OUR_GREETING.subarray(11));
    expect(handshake.receive(OUR_GREETING.subarray(11, 63)).output).toBeUndefined();
  });

  it("a peer that shows its greeting in stages of 10, 1 and 53 octets completes (A4)", () => {
    const stages = [0, 10, 11, 64].map((at, i, all) => OUR_GREETING.subarray(at, all[i + 1] ?? 64));
    expect(runHandshake(PULL, [...stages, PUSH_READY]).state).toBe("done");
  });

  it("READY answers the last octet of the greeting, without a wait for the peer's (C1)", () => {
    const handshake = new Handshake(PULL);
    handshake.start();
    expect(handshake.receive(OUR_GREETING.subarray(0, 63)).output).toEqual(OUR_GREETING.subarray(11));
    expect(handshake.receive(OUR_GREETING.subarray(63)).output).toEqual(PULL_READY);
    expect(handshake.receive(PUSH_READY)).toMatchObject({ output: undefined, done: true });
  });

  it("two of ours complete, whoever's octets come first (C1)", () => {
    const push = new Handshake({ socketType: "PUSH" });
    const pull = new Handshake(PULL);
    let toPush: Buffer | undefined = pull.start();
    let toPull: Buffer | undefined = push.start();
    while (push.state !== "done" || pull.state !== "done") {
      if (toPush !== undefined) toPull = octets(toPull ?? "", push.receive(toPush).output ?? "");
      toPush = toPull === undefined ? undefined : pull.receive(toPull).output;
      toPull = undefined;
    }
    expect([push.peer.socketType, pull.peer.socketType]).toEqual(["PULL", "PUSH"]);
  });

  it("READY is one command frame with Socket-Type (C3)", () => {
    const expected = octets("04 1a 05 5245414459 0b 536f636b65742d54797065 00000004 50554c4c");
    expect(ourReady(PULL)).toEqual(expected);
  });

  it("READY above 255 octets takes the long form (C3)", () => {
    const sent = ourReady({ ...PULL, metadata: [["X-long", Buffer.alloc(300, 1)]] });
    expect(sent.subarray(0, 9)).toEqual(octets("06 0000000000000151"));
    expect(sent).toHaveLength(9 + 0x151);
    expect(runHandshake({ socketType: "PUSH" }, [OUR_GREETING, sent]).peer?.metadata.get("X-long")).toEqual(
      Buffer.alloc(300, 1),
    );
  });

  it.each(["REQ", "DEALER", "ROUTER"])("%s sends its Identity, with no octets when unset (C11)", (type) => {
    expect(ourReady({ socketType: type })).toEqual(ready(socketType(type), identity(Buffer.alloc(0))));
    const routingId = text("me");
    expect(ourReady({ socketType: type, routingId })).toEqual(ready(socketType(type), identity(routingId)));
  });

  it.each(["REP", "PUB", "SUB", "XPUB", "XSUB", "PUSH", "PULL", "PAIR"])(
    "%s never sends an Identity (C11)",
    (type) => {
      expect(ourReady({ socketType: type, routingId: text("me") })).toEqual(ready(socketType(type)));
    },
  );

  it("application metadata goes behind our own properties (C16)", () => {
    const sent = ourReady({ ...PULL, metadata: new Map([["X-name", text("value")]]) });
    expect(sent).toEqual(ready(socketType("PULL"), "06", text("X-name"), "00000005", text("value")));
  });
});

describe("our own mistakes", () => {
  it("metadata that has no encoding is refused before there is a peer (C17)", () => {
    expect(() => new Handshake({ ...PULL, metadata: [["X name", text("value")]] })).toThrow(RangeError);
  });
});

describe("compatibility in the handshake", () => {
  it("of all types PUSH alone may talk to PULL (C8)", () => {
    const types = "REQ REP DEALER ROUTER PUB SUB XPUB XSUB PUSH PULL PAIR CLIENT SERVER PEER CHANNEL".split(
      " ",
    );
    const accepted = types.filter(
      (type) => runHandshake(PULL, [OUR_GREETING, ready(socketType(type))]).state === "done",
    );
    expect(accepted).toEqual(["PUSH"]);
  });
});
