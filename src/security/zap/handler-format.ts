/** ZAP's frames (RFC 27 §Message Format) at the handler: a request becomes an AuthenticationRequest, and a Verdict a reply. */
import type { Message } from "../../base/message.js";
import { Buffer, isUtf8 } from "../../base/platform.js";
import type { Verdict } from "../../wire/zmtp/mechanisms/authentication.js";
import { encodeMetadata } from "../../wire/zmtp/metadata.js";
import type { AuthenticationRequest } from "../authenticator.js";
import { TEXT_MAX, VERSION, ZAP_ENDPOINT } from "./format.js";

export { ZAP_ENDPOINT };

const KEY_BYTES = 32;
const EMPTY = Buffer.alloc(0);

/** A request, and the id that its reply must have. */
export interface ZapQuestion {
  readonly id: Buffer;
  /** undefined if it is malformed: its reply is a refusal. */
  readonly request: AuthenticationRequest | undefined;
}

/** The request in these frames, which begin with the empty delimiter; undefined if they have no id to reply to. */
export function parseRequest(frames: Message | readonly Buffer[]): ZapQuestion | undefined {
  const [delimiter, version, id, domain, address, routingId, mechanism, ...credentials] = frames;
  if (delimiter?.length !== 0 || id === undefined) return undefined;
  if (version.toString("latin1") !== VERSION || mechanism === undefined) return { id, request: undefined };
  const known = credentialsOf(mechanism.toString("latin1"), credentials);
  if (known === undefined || !isUtf8(domain) || !isUtf8(address)) return { id, request: undefined };
  return {
    id,
    request: {
      ...known,
      domain: domain.toString(),
      address: address.toString(),
      endpoint: "", // ZAP does not say
      routingId,
      metadata: new Map(),
    },
  };
}

function credentialsOf(mechanism: string, frames: readonly Buffer[]) {
  const [one, two] = frames;
  if (mechanism === "NULL" && frames.length === 0) return { mechanism } as const;
  if (mechanism === "CURVE" && frames.length === 1 && one.length === KEY_BYTES)
    return { mechanism, publicKey: one } as const;
  if (mechanism !== "PLAIN" || frames.length !== 2 || !frames.every((frame) => isUtf8(frame)))
    return undefined;
  return { mechanism, username: one.toString(), password: two.toString() } as const;
}

/** The frames of a reply, beginning with the empty delimiter (Q2). */
export function encodeReply(id: Buffer, { status, text, userId, metadata }: Verdict): Buffer[] {
  return [
    EMPTY,
    Buffer.from(VERSION),
    id,
    Buffer.from(String(status)),
    Buffer.from(text).subarray(0, TEXT_MAX),
    Buffer.from(userId),
    encodeMetadata(metadata),
  ];
}
