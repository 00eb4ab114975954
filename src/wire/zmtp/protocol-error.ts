/**
 * What a peer did wrong, as an error with a constant code. Never thrown at an application: a session turns it into
 * an event and closes that one connection. Knows nothing of connections, and not who is told.
 */
import type { Buffer } from "../../base/platform.js";

/**
 * What was wrong, as a constant. authentication-refused: the peer refuses us; authentication-denied: we refuse it;
 * authentication-failed: nobody could decide (no authenticator, or it failed), so it is refused.
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
  | "handshake-timeout"
  | "heartbeat-timeout"
  | "message-timeout"
  | "idle-timeout"
  | "frame-too-large"
  | "command-too-large"
  | "too-many-parts"
  | "message-too-large"
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

/** libzmq's numbers for handshake failures (ZMQ_PROTOCOL_ERROR_*), where it has one. */
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
  /** RFC clause or conformance item that was broken. */
  readonly rule: string;
  /** Which kind of failure event it becomes. Default `protocol`. */
  readonly kind?: "protocol" | "auth" | "other";
  /** Offending octets' count. */
  readonly octets?: number;
  /** Octets to send before closing. */
  readonly reply?: Buffer;
  /** Instead of libzmq's number for the code: the status of a refusal (D3). */
  readonly zmqCode?: number;
  /** The error behind it, such as an authenticator's. */
  readonly cause?: unknown;
}

/** Octets of a peer's text that go into an error's message, or into an ERROR command (D1). */
const TEXT_MAX = 255;

/** A peer's text, safe to show: printable ASCII, and not too long. */
export function printable(text: string): string {
  return text.slice(0, TEXT_MAX).replace(/[^\x20-\x7e]/g, "?");
}

/** A peer broke the protocol. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  /** What was wrong. */
  readonly code: ProtocolErrorCode;
  /** libzmq's number for it, 0 where it has none. */
  readonly zmqCode: number;
  /** RFC clause or conformance item that was broken. */
  readonly rule: string;
  /** Offending octets' count, 0 where it does not apply. */
  readonly octets: number;
  /** Which kind of failure event it becomes. */
  readonly kind: "protocol" | "auth" | "other";
  /** @internal octets to send before closing; not enumerable, so that it stays out of logs */
  reply: Buffer | undefined;

  constructor(code: ProtocolErrorCode, text: string, details: ProtocolErrorDetails) {
    super(`${text} (${details.rule})`, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.zmqCode = details.zmqCode ?? ZMQ_CODES[code] ?? 0;
    this.rule = details.rule;
    this.kind = details.kind ?? "protocol";
    this.octets = details.octets ?? 0;
    Object.defineProperty(this, "reply", { value: details.reply, enumerable: false, writable: true });
  }
}
