/** What an error about a peer tells. */
import { describe, expect, it } from "vitest";
import { ProtocolError, printable } from "../../../src/wire/zmtp/protocol-error.js";

describe("ProtocolError", () => {
  it("has the code, the rule, the number of bytes at fault, and libzmq's number", () => {
    const error = new ProtocolError("unexpected-command", "PING instead of READY", { rule: "C2", size: 7 });
    expect(error).toMatchObject({
      name: "ProtocolError",
      message: "PING instead of READY (RFC 37)",
      code: "unexpected-command",
      zmqCode: 0x10000001,
      rule: "C2",
      octets: 7,
      kind: "protocol",
      reply: undefined,
    });
  });

  it("has 0 where there is no number and no count", () => {
    const error = new ProtocolError("heartbeat-timeout", "silence", { rule: "F9", kind: "other" });
    expect(error).toMatchObject({ zmqCode: 0, octets: 0, kind: "other" });
  });

  it.each([
    ["H5", " (RFC 28)"],
    ["E4, E15", " (RFC 37)"],
    ["A10, A17, A22", " (RFC 15)"],
    ["N11", " (RFC 48)"],
    ["E4, RFC 27", " (RFC 27)"],
    ["RFC 37 §Connection Metadata", " (RFC 37 §Connection Metadata)"],
    // Limits of ours, which are in no RFC: the text says which.
    ["G9", ""],
    ["A25, S7", ""],
  ])("its message names the RFC that %s stands for", (rule, named) => {
    expect(new ProtocolError("malformed-reply", "bad", { rule }).message).toBe(`bad${named}`);
  });

  it("a peer's text is made printable and cut to 255 octets (D1)", () => {
    expect(printable("a\r\n\x1b[31m\x7f\xe9z")).toBe("a???[31m??z");
    expect(printable("x".repeat(300))).toBe("x".repeat(255));
    expect(printable(" ~")).toBe(" ~");
  });
});
