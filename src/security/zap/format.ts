/**
 * ZAP's frames (RFC 27 §Message Format): makes a request from an AuthenticationRequest, and a Verdict from a reply.
 */

import type { Message } from "../../base/message.js";
import { Buffer } from "../../base/platform.js";
import { STATUSES, type Status, type Verdict } from "../../wire/zmtp/mechanisms/authentication.js";
import { parseMetadata } from "../../wire/zmtp/metadata.js";
import { ProtocolError, type ProtocolErrorCode } from "../../wire/zmtp/protocol-error.js";
import type { AuthenticationRequest } from "../authenticator.js";

/** The endpoint of the handler. */
export const ZAP_ENDPOINT = "inproc://zeromq.zap.01";
export const VERSION = "1.0";
const REPLY_FRAMES = 7;
export const TEXT_MAX = 255;
const STATUS_TEXTS = new Set(STATUSES.map(String));
const EMPTY = Buffer.alloc(0);

/** The frames of a request, beginning with the empty delimiter (Q1). */
export function encodeRequest(id: string, request: AuthenticationRequest): Buffer[] {
  const texts = [VERSION, id, request.domain, request.address];
  return [
    EMPTY,
    ...texts.map((text) => Buffer.from(text)),
    Buffer.from(request.routingId), // Q4: our own routing id, as in libzmq
    Buffer.from(request.mechanism),
    ...credentials(request),
  ];
}

/** The frames with the peer's credentials (Q3). */
function credentials(request: AuthenticationRequest): Buffer[] {
  if (request.mechanism === "PLAIN") return [Buffer.from(request.username), Buffer.from(request.password)];
  return request.mechanism === "CURVE" ? [Buffer.from(request.publicKey)] : [];
}

/** The error for a reply that breaks the protocol (Q2). @param text continues "the ZAP handler's reply" */
export function zapFault(code: ProtocolErrorCode, text: string): ProtocolError {
  return new ProtocolError(code, `the ZAP handler's reply ${text}`, { rule: "Q2" });
}

/**
 * The id of the request that a reply is for. Checks the number of frames and the version first.
 * @throws ProtocolError
 */
export function replyId(parts: Message): string {
  if (parts.length !== REPLY_FRAMES || parts[0].length !== 0) {
    throw zapFault(
      "zap-malformed-reply",
      `must have ${REPLY_FRAMES} frames, the first of them empty; it has ${parts.length}`,
    );
  }
  if (parts[1].toString("latin1") !== VERSION)
    throw zapFault("zap-bad-version", `must have version ${VERSION}`);
  return parts[2].toString("latin1");
}

/**
 * The decision in a reply that replyId() has checked.
 * @throws ProtocolError
 */
export function parseReply(parts: Message): Verdict {
  const [, , , status, text, userId, properties] = parts;
  if (!STATUS_TEXTS.has(status.toString("latin1")))
    throw zapFault("zap-invalid-status", `must have one of the statuses ${STATUSES.join(", ")}`);
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
