/** ZAP's frames (section Q): requests of each mechanism byte for byte, and every reply that is none. */
import { describe, expect, it } from "vitest";
import { encodeRequest, parseReply, replyId } from "../../../src/security/zap/format.js";
import type { Question } from "../../../src/wire/zmtp/mechanisms/authentication.js";

const ABOUT = {
  domain: "global",
  address: "10.0.0.1",
  endpoint: "tcp://*:5",
  routingId: Buffer.from("server"),
  metadata: new Map<string, Buffer>(),
};
const HEAD = ["", "1.0", "7", "global", "10.0.0.1", "server"];

function frames(question: Question, about: Partial<typeof ABOUT> = {}): string[] {
  return encodeRequest("7", { ...ABOUT, ...about, ...question }).map((frame) => frame.toString("latin1"));
}

describe("requests", () => {
  it("NULL has no credentials (Q1, Q3)", () =>
    expect(frames({ mechanism: "NULL" })).toEqual([...HEAD, "NULL"]));

  it("PLAIN has two (Q1, Q3)", () => {
    const request = { mechanism: "PLAIN", username: "user", password: "" } as const;
    expect(frames(request)).toEqual([...HEAD, "PLAIN", "user", ""]);
  });

  it("CURVE has the key's 32 octets (Q1, Q3)", () => {
    const publicKey = Buffer.from(Array.from({ length: 32 }, (_, i) => i * 8));
    expect(frames({ mechanism: "CURVE", publicKey })).toEqual([
      ...HEAD,
      "CURVE",
      publicKey.toString("latin1"),
    ]);
  });

  it("the identity is ours, and an empty domain is an empty frame (Q4, Q13)", () => {
    const about = { domain: "", routingId: Buffer.alloc(0) };
    expect(frames({ mechanism: "NULL" }, about)).toEqual(["", "1.0", "7", "", "10.0.0.1", "", "NULL"]);
  });
});

const GOOD = ["", "1.0", "7", "200", "OK", "ann", ""];

function reply(changes: Record<number, string | undefined> = {}, from = GOOD): Buffer[] {
  return from.map((frame, at) => Buffer.from(changes[at] ?? frame, "latin1"));
}

function read(parts: Buffer[]) {
  const id = replyId(parts);
  return { id, ...parseReply(parts) };
}

const property = (name: string, value: string) =>
  `${String.fromCharCode(name.length)}${name}\0\0\0${String.fromCharCode(value.length)}${value}`;

describe("replies", () => {
  it("200 with user id and metadata (Q2, Q7)", () => {
    const parts = reply({ 6: property("Role", "admin") + property("X-n", "1") });
    const metadata = new Map([
      ["Role", Buffer.from("admin")],
      ["X-n", Buffer.from("1")],
    ]);
    expect(read(parts)).toEqual({ id: "7", status: 200, text: "OK", userId: "ann", metadata });
  });

  it.each([200, 300, 400, 500])("status %i (Q2)", (status) => {
    expect(read(reply({ 3: `${status}` })).status).toBe(status);
  });

  it.each([
    ["zap-malformed-reply", "no frames", []],
    ["zap-malformed-reply", "six frames", reply().slice(0, 6)],
    ["zap-malformed-reply", "eight frames", [...reply(), Buffer.alloc(0)]],
    ["zap-malformed-reply", "no delimiter", reply({ 0: "x" })],
    ["zap-malformed-reply", "a long text", reply({ 4: "t".repeat(256) })],
    ["zap-malformed-reply", "a long user id", reply({ 5: "u".repeat(256) })],
    ["zap-bad-version", "another version", reply({ 1: "1.1" })],
    ["zap-bad-version", "no version", reply({ 1: "" })],
    ...["", "20", "2000", "2OO", "100", "600", " 200", "200\0"].map(
      (status) => ["zap-invalid-status", `status "${status}"`, reply({ 3: status })] as const,
    ),
    ["zap-invalid-metadata", "a stray octet", reply({ 6: "\x01" })],
    ["zap-invalid-metadata", "a nameless property", reply({ 6: "\0" })],
    ["zap-invalid-metadata", "a value cut short", reply({ 6: property("a", "bc").slice(0, -1) })],
  ] as const)("%s: %s (Q2)", (code, _title, parts) => {
    expect(() => read([...parts])).toThrow(expect.objectContaining({ name: "ProtocolError", code }));
  });
});
