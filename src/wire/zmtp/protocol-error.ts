/**
 * What a peer did wrong, as an error with a constant code. It is never thrown at an application: a session turns it into
 * an event and closes that one connection.
 */
import type { Buffer } from "../../base/platform.js";

/**
 * What was wrong, as a constant. authentication-refused: the peer refuses us; authentication-denied: we refuse the peer;
 * authentication-failed: nobody could decide (there is no authenticator, or it failed), so the peer is refused.
 */
export type ProtocolErrorCode =
  | "not-zmtp"
  | "version-too-old"
  | "mechanism-mismatch"
  | "unexpected-command"
  | "malformed-error"
  | "malformed-reply"
  | "invalid-metadata"
  | "incompatible-socket-type"
  | "invalid-routing-id"
  | "handshake-too-large"
  | "websocket"
  | "handshake-timeout"
  | "heartbeat-timeout"
  | "message-timeout"
  | "idle-timeout"
  | "frame-too-large"
  | "command-too-large"
  | "too-many-parts"
  | "message-too-large"
  | "shared-memory"
  | "trace-part-missing"
  | "too-many-subscriptions"
  | "subscriptions-unread"
  | "malformed-group-message"
  | "routing-id-taken"
  | "peer-taken"
  | "slow-peer"
  | "peer-error"
  | "undecodable"
  | "authentication-refused"
  | "authentication-denied"
  | "authentication-failed"
  | "malformed-hello"
  | "malformed-welcome"
  | "malformed-initiate"
  | "malformed-ready"
  | "malformed-message"
  | "key-exchange"
  | "cryptographic"
  | "invalid-sequence"
  | "nonce-exhausted"
  | "zap-malformed-reply"
  | "zap-bad-request-id"
  | "zap-bad-version"
  | "zap-invalid-status"
  | "zap-invalid-metadata";

/** libzmq's numbers for handshake failures (ZMQ_PROTOCOL_ERROR_*), where it has them. */
const ZMQ_CODES: Partial<Record<ProtocolErrorCode, number>> = {
  "unexpected-command": 0x10000001,
  "invalid-sequence": 0x10000002,
  "key-exchange": 0x10000003,
  "malformed-message": 0x10000012,
  "malformed-hello": 0x10000013,
  "malformed-initiate": 0x10000014,
  "malformed-error": 0x10000015,
  "malformed-ready": 0x10000016,
  "malformed-welcome": 0x10000017,
  "invalid-metadata": 0x10000018,
  cryptographic: 0x11000001,
  "mechanism-mismatch": 0x11000002,
  "authentication-failed": 0x20000000,
  "zap-malformed-reply": 0x20000001,
  "zap-bad-request-id": 0x20000002,
  "zap-bad-version": 0x20000003,
  "zap-invalid-status": 0x20000004,
  "zap-invalid-metadata": 0x20000005,
};

/** Details of a ProtocolError. */
export interface ProtocolErrorDetails {
  /** The items of docs/conformance.md, or the RFC clause, that the peer broke. */
  readonly rule: string;
  /** Which of the failure events it becomes. Default `protocol`. */
  readonly kind?: "protocol" | "auth" | "other";
  /** How many bytes, or parts, were at fault. Default 0. */
  readonly size?: number;
  /** Bytes to send before closing. */
  readonly reply?: Buffer;
  /** Replaces libzmq's number for the code, with the status of a refusal (D3). */
  readonly zmqCode?: number;
  /** The error behind it, such as one of an authenticator. */
  readonly cause?: unknown;
}

/** Most characters of a peer's text in an error's message, or of ours in an ERROR command (D1). */
const TEXT_MAX = 255;

/** The RFC that has the rules of each section of docs/conformance.md; the other sections have none of their own. */
const RFC_OF_SECTION: Readonly<Record<string, number>> = {
  A: 37,
  B: 37,
  C: 37,
  D: 37,
  E: 37,
  F: 37,
  H: 28,
  I: 28,
  J: 29,
  K: 30,
  L: 31,
  O: 24,
  P: 26,
  Q: 27,
};
/** Items that stand for another RFC than their section, or, with 0, for none. */
const RFC_OF_ITEM: Readonly<Record<string, number>> = { A10: 15, A18: 15, A25: 0, N11: 48 };

/** The RFC that a rule stands for, as a reader of the message knows it; undefined for limits that no RFC sets. */
function rfcOf(rule: string): string | undefined {
  const named = /RFC \d+(?: §[^,]+)?/.exec(rule);
  if (named !== null) return named[0];
  const item = rule.split(",", 1)[0];
  const number = RFC_OF_ITEM[item] ?? RFC_OF_SECTION[item[0]] ?? 0;
  return number === 0 ? undefined : `RFC ${number}`;
}

/** A peer's text, safe to show: printable ASCII, at most 255 characters. */
export function printable(text: string): string {
  return text.slice(0, TEXT_MAX).replace(/[^\x20-\x7e]/g, "?");
}

/** A peer broke the protocol. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  /** What was wrong. */
  readonly code: ProtocolErrorCode;
  /** libzmq's number for it; 0 where libzmq has none. */
  readonly zmqCode: number;
  /** The items of docs/conformance.md, or the RFC clause, that the peer broke. The message names the RFC. */
  readonly rule: string;
  /** How many bytes, or parts, were at fault; 0 if the fault has no size. */
  readonly octets: number;
  /** Which of the failure events it becomes. */
  readonly kind: "protocol" | "auth" | "other";
  /** @internal bytes to send before closing; not enumerable, so that it stays out of logs */
  reply: Buffer | undefined;

  constructor(code: ProtocolErrorCode, text: string, details: ProtocolErrorDetails) {
    const rfc = rfcOf(details.rule);
    const message = rfc === undefined ? text : `${text} (${rfc})`;
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.zmqCode = details.zmqCode ?? ZMQ_CODES[code] ?? 0;
    this.rule = details.rule;
    this.kind = details.kind ?? "protocol";
    this.octets = details.size ?? 0;
    Object.defineProperty(this, "reply", { value: details.reply, enumerable: false, writable: true });
  }
}
