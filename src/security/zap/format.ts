/**
 * ZAP's frames (RFC 27 §Message Format): a request for an AuthenticationRequest, a Verdict out of a reply. Knows no
 * sockets, and not whose request a reply is for.
 */

import type { Message } from "../../base/message.js";
import { Buffer } from "../../base/platform.js";
import { STATUSES, type Status, type Verdict } from "../../wire/zmtp/mechanisms/authentication.js";
import { parseMetadata } from "../../wire/zmtp/metadata.js";
import { ProtocolError, type ProtocolErrorCode } from "../../wire/zmtp/protocol-error.js";
import type { AuthenticationRequest } from "../authenticator.js";

/** Where the handler is bound. */
export const ZAP_ENDPOINT = "inproc://zeromq.zap.01";
const VERSION = "1.0";
const REPLY_FRAMES = 7;
const TEXT_MAX = 255;
const STATUS_TEXTS = new Set(STATUSES.map(String));
const EMPTY = Buffer.alloc(0);

/** Frames of a request, the empty delimiter in front (Q1). */
export function encodeRequest(id: string, request: AuthenticationRequest): Buffer[] {
  const texts = [VERSION, id, request.domain, request.address];
  return [
    EMPTY,
    ...texts.map((text) => Buffer.from(text)),
    Buffer.from(request.routingId), // Q4: our own, as in libzmq
    Buffer.from(request.mechanism),
    ...credentials(request),
  ];
}

/** Q3. */
function credentials(request: AuthenticationRequest): Buffer[] {
  if (request.mechanism === "PLAIN") return [Buffer.from(request.username), Buffer.from(request.password)];
  return request.mechanism === "CURVE" ? [Buffer.from(request.publicKey)] : [];
}

/** What a handler did wrong (Q2). */
export function zapFault(code: ProtocolErrorCode, text: string): ProtocolError {
  return new ProtocolError(code, `the ZAP handler's reply ${text}`, { rule: "Q2" });
}

/**
 * The id of the request that a reply is for; frames and version are checked before it.
 * @throws ProtocolError
 */
export function replyId(parts: Message): string {
  if (parts.length !== REPLY_FRAMES || parts[0].length !== 0) {
    throw zapFault("zap-malformed-reply", `has ${parts.length} frames, or does not begin with an empty one`);
  }
  if (parts[1].toString("latin1") !== VERSION)
    throw zapFault("zap-bad-version", `is not of version ${VERSION}`);
  return parts[2].toString("latin1");
}

/**
 * What a reply says that replyId() has looked at.
 * @throws ProtocolError
 */
export function parseReply(parts: Message): Verdict {
  const [, , , status, text, userId, properties] = parts;
  if (!STATUS_TEXTS.has(status.toString("latin1")))
    throw zapFault("zap-invalid-status", "has no status that there is");
  if (text.length > TEXT_MAX || userId.length > TEXT_MAX) {
    throw zapFault("zap-malformed-reply", `has a text or user id of more than ${TEXT_MAX} bytes`);
  }
  let metadata: ReadonlyMap<string, Buffer>;
  try {
    metadata = parseMetadata(properties);
  } catch (error) {
    throw new ProtocolError("zap-invalid-metadata", "the ZAP handler's reply has malformed metadata", {
      rule: "Q2",
      cause: error,
    });
  }
  return {
    status: Number(status.toString("latin1")) as Status,
    text: text.toString(),
    userId: userId.toString(),
    metadata,
  };
}
