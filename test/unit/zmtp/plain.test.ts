/** PLAIN handshakes and NULL with an authenticator, sans I/O (sections O and Q). */
import { describe, expect, it } from "vitest";
import { Handshake, type HandshakeConfig } from "../../../src/wire/zmtp/handshake.js";
import type { Verdict } from "../../../src/wire/zmtp/mechanisms/authentication.js";
import { ProtocolError } from "../../../src/wire/zmtp/protocol-error.js";
import { greeting } from "../../vectors/curve.js";
import { everyWay, TRAILING } from "../../vectors/every-way.js";
import { frame, ready, socketType } from "../../vectors/frames.js";
import { octets, text } from "../../vectors/octets.js";
import { runHandshake } from "./run.js";

const CLIENT: HandshakeConfig = {
  socketType: "PUSH",
  security: { mechanism: "PLAIN", server: false, username: "admin", password: "sécret" },
};
const SERVER: HandshakeConfig = { socketType: "PULL", security: { mechanism: "PLAIN", server: true } };
const NULL_ASKING: HandshakeConfig = { socketType: "PULL", security: { mechanism: "NULL", ask: true } };

const GREETING = greeting(false, "PLAIN");
const SERVER_GREETING = greeting(true, "PLAIN");
const HELLO = frame(4, "05", text("HELLO"), "05", text("admin"), "07", Buffer.from("sécret"));
const WELCOME = frame(4, "07", text("WELCOME"));
const INITIATE = frame(4, "08", text("INITIATE"), socketType("PUSH"));
const READY = ready(socketType("PULL"));

const verdict = (status: Verdict["status"], userId = ""): Verdict => ({
  status,
  text: "",
  userId,
  metadata: new Map(),
});

function errorOf(act: () => unknown): ProtocolError {
  try {
    act();
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("PLAIN client", () => {
  it("says HELLO and INITIATE, however the server's octets are cut (O1, O2, O3)", () => {
    const sent = octets(GREETING, HELLO, INITIATE).toString("hex");
    for (const { how, chunks } of everyWay(octets(SERVER_GREETING, WELCOME, READY, TRAILING))) {
      expect(runHandshake(CLIENT, chunks), how).toMatchObject({
        state: "done",
        sent,
        leftover: TRAILING.toString("hex"),
        peer: { socketType: "PULL" },
      });
    }
  });

  it("empty and longest credentials, and longer ones refused (O1)", () => {
    const hello = (username: string, password: string): Buffer => {
      const security = { mechanism: "PLAIN", server: false, username, password } as const;
      return new Handshake({ socketType: "PUSH", security }).receive(SERVER_GREETING).output!;
    };
    expect(hello("", "")).toEqual(frame(4, "05", text("HELLO"), "0000"));
    const long = "x".repeat(255);
    expect(hello(long, long)).toEqual(frame(4, "05", text("HELLO"), "ff", text(long), "ff", text(long)));
    expect(() => hello("é".repeat(128), "")).toThrow(RangeError);
    expect(() => hello("", `${long}x`)).toThrow(RangeError);
  });

  it.each([
    ["as RFC 24 spells it", octets("05", text("ERROR"))],
    ["as libzmq misspells it", text("^RROR")],
  ])("ERROR 400 %s is a refusal by the authenticator (O7)", (_, name) => {
    const error = frame(4, name, "03", text("400"));
    for (const before of [[], [WELCOME]]) {
      for (const { how, chunks } of everyWay(octets(SERVER_GREETING, ...before, error))) {
        expect(runHandshake(CLIENT, chunks).error, how).toMatchObject({
          code: "authentication-refused",
          kind: "auth",
          zmqCode: 400,
        });
      }
    }
  });

  it("a misspelt ERROR that is cut short (D4)", () => {
    const outcome = runHandshake(CLIENT, [
      octets(SERVER_GREETING, frame(4, text("^RROR"), "05", text("400"))),
    ]);
    expect(outcome.error).toMatchObject({ code: "malformed-error", zmqCode: 0x10000015 });
  });

  it("only a PLAIN client knows the misspelling (O7)", () => {
    const outcome = runHandshake({ socketType: "PUSH" }, [
      octets(greeting(false, "NULL"), frame(4, text("^RROR"), "03", text("400"))),
    ]);
    expect(outcome.error?.code).toBe("unexpected-command");
  });

  it("a WELCOME with a body (O2)", () => {
    const outcome = runHandshake(CLIENT, [octets(SERVER_GREETING, frame(4, "07", text("WELCOME"), "00"))]);
    expect(outcome.error).toMatchObject({ code: "malformed-welcome", zmqCode: 0x10000017 });
  });

  it.each([
    ["READY before WELCOME", [READY]],
    ["WELCOME twice", [WELCOME, WELCOME]],
    ["HELLO, from another client", [HELLO]],
  ])("commands out of order: %s (O5, B6)", (_, frames) => {
    const outcome = runHandshake(CLIENT, [octets(SERVER_GREETING, ...frames)]);
    expect(outcome.error).toMatchObject({ code: "unexpected-command", zmqCode: 0x10000001 });
  });
});

describe("PLAIN server", () => {
  it("asks about HELLO, and lets in, however the client's octets are cut (O1, O2)", () => {
    for (const { how, chunks } of everyWay(octets(GREETING, HELLO))) {
      const handshake = new Handshake(SERVER);
      for (const chunk of chunks) expect(handshake.receive(chunk).output, how).toBeUndefined();
      expect(handshake.question, how).toEqual({
        mechanism: "PLAIN",
        username: "admin",
        password: "sécret",
      });
      expect(handshake.answer(verdict(200, "admin")).output).toEqual(WELCOME);
      const { output, done, leftover } = handshake.receive(octets(INITIATE, TRAILING));
      expect({ output, done, leftover }).toEqual({ output: READY, done: true, leftover: TRAILING });
      expect(handshake.peer.metadata.get("User-Id")).toEqual(text("admin"));
    }
  });

  it("ERROR in the RFC's spelling for who is refused (O6, Q9)", () => {
    const handshake = new Handshake(SERVER);
    handshake.receive(octets(GREETING, HELLO));
    const error = errorOf(() => handshake.answer(verdict(400)));
    expect(error).toMatchObject({ code: "authentication-denied", kind: "auth", zmqCode: 400 });
    expect(error.reply).toEqual(frame(4, "05", text("ERROR"), "03", text("400")));
  });

  it("no ERROR for a temporary refusal (Q8)", () => {
    const handshake = new Handshake(SERVER);
    handshake.receive(octets(GREETING, HELLO));
    expect(errorOf(() => handshake.answer(verdict(300))).reply).toBeUndefined();
  });

  it.each([
    ["trailing octets", octets("05", text("admin"), "01", text("x"), "00")],
    ["a name that is cut short", octets("05", text("adm"))],
    ["no password", octets("05", text("admin"))],
    ["a password that is cut short", octets("05", text("admin"), "02", text("x"))],
    ["nothing", octets("")],
  ])("a HELLO with %s (O4)", (_, credentials) => {
    const outcome = runHandshake(SERVER, [octets(GREETING, frame(4, "05", text("HELLO"), credentials))]);
    expect(outcome.error).toMatchObject({ code: "malformed-hello", zmqCode: 0x10000013 });
  });

  it.each([
    ["INITIATE first", INITIATE],
    ["WELCOME, from another server", WELCOME],
    ["READY, as if NULL were enough", ready(socketType("PUSH"))],
  ])("commands out of order: %s (O5, B6, B8)", (_, octetsOfFrame) => {
    expect(runHandshake(SERVER, [octets(GREETING, octetsOfFrame)]).error?.code).toBe("unexpected-command");
  });

  it("a second HELLO behind the answer (O5)", () => {
    const handshake = new Handshake(SERVER);
    handshake.receive(octets(GREETING, HELLO, HELLO));
    expect(errorOf(() => handshake.answer(verdict(200))).code).toBe("unexpected-command");
  });
});

describe("NULL with an authenticator", () => {
  const OURS = ready(socketType("PULL"));
  const THEIRS = octets(greeting(false, "NULL"), ready(socketType("PUSH")));

  it("READY waits for the answer, however the peer's octets are cut (Q10)", () => {
    for (const { how, chunks } of everyWay(octets(THEIRS, TRAILING))) {
      const handshake = new Handshake(NULL_ASKING);
      for (const chunk of chunks) expect(handshake.receive(chunk).output, how).toBeUndefined();
      expect(handshake.question).toEqual({ mechanism: "NULL" });
      const { output, done, leftover } = handshake.answer(verdict(200, "anonymous"));
      expect({ output, done, leftover }, how).toEqual({ output: OURS, done: true, leftover: TRAILING });
      expect(handshake.peer.metadata.get("User-Id")).toEqual(text("anonymous"));
    }
  });

  it("refuses with ERROR (Q9)", () => {
    const handshake = new Handshake(NULL_ASKING);
    handshake.receive(THEIRS);
    expect(errorOf(() => handshake.answer(verdict(500))).reply).toEqual(
      frame(4, "05", text("ERROR"), "03", text("500")),
    );
  });

  it("a peer cannot say its own User-Id, asked or not (Q7)", () => {
    const forged = ready(socketType("PUSH"), "07", text("User-Id"), "00000004", text("root"));
    const outcome = runHandshake({ socketType: "PULL" }, [octets(greeting(false, "NULL"), forged)]);
    expect([...outcome.peer!.metadata.keys()]).toEqual(["Socket-Type"]);
  });
});
