/**
 * The agreement on permessage-deflate (RFC 7692 §7), without I/O. Both sides begin anew with each message (no context
 * takeover): so nothing stays in memory between two messages, and no message tells anything of the one before.
 */
import type { TransportOptions } from "../contract/transport.js";

/** What was agreed on. */
export interface Compression {
  /** Our messages with parts from this size on are compressed. */
  readonly threshold: number;
  /** Most bytes that a part of the peer may unpack to. */
  readonly most: number;
  /** The window of our compressor: two to this power. */
  readonly windowBits: number;
}

const NAME = "permessage-deflate";
/** What we offer, and our answer to an offer. */
export const DEFLATE = `${NAME}; client_no_context_takeover; server_no_context_takeover`;

const DEFAULT_THRESHOLD = 1024;
const WINDOW_BITS = 15;
/** zlib has no smaller window for raw data. */
const LEAST_BITS = 9;
/** Most bytes that a part is packed from, and unpacks to unless `maxMessageSize` says otherwise. */
export const COMPRESSED_MAX = 16 * 1024 * 1024;

/** Whether the socket compresses. What CURVE has encrypted does not get smaller. */
export function compresses({ perMessageDeflate, security }: TransportOptions): boolean {
  return perMessageDeflate !== false && security.mechanism !== "CURVE";
}

function agreement(options: TransportOptions, windowBits: number): Compression {
  const { perMessageDeflate, maxMessageSize } = options;
  const threshold = typeof perMessageDeflate === "object" ? perMessageDeflate.threshold : undefined;
  return {
    threshold: threshold ?? DEFAULT_THRESHOLD,
    most: maxMessageSize === -1 ? COMPRESSED_MAX : maxMessageSize,
    windowBits,
  };
}

type Parameters = ReadonlyMap<string, string | null>;

/** As a server: what to answer to a client's offers, the first that we can take; null if there is none. */
export function acceptOffer(
  offers: string | undefined,
  options: TransportOptions,
): { compression: Compression; answer: string } | null {
  if (offers === undefined || !compresses(options)) return null;
  for (const { name, parameters } of parse(offers)) {
    if (name !== NAME) continue;
    const bits = parameters.get("server_max_window_bits");
    const windowBits = bits == null ? WINDOW_BITS : Number(bits);
    if (!isValid(parameters, "offer") || windowBits < LEAST_BITS) continue;
    const window = bits == null ? "" : `; server_max_window_bits=${bits}`;
    return { compression: agreement(options, windowBits), answer: DEFLATE + window };
  }
  return null;
}

/** As a client that offered DEFLATE: what the server's answer means. A text says why it is not one to our offer. */
export function readAnswer(answer: string, options: TransportOptions): Compression | string {
  const [{ name, parameters }, second] = parse(answer);
  if (name !== NAME || second !== undefined || !compresses(options))
    return "the server uses an extension that was not offered";
  if (!isValid(parameters, "answer") || !parameters.has("server_no_context_takeover"))
    return "the server answers with other parameters of permessage-deflate than were offered";
  return agreement(options, WINDOW_BITS);
}

/** Whether all parameters are ones of the extension, each once, with a value that it may have. */
function isValid(parameters: Parameters, of: "offer" | "answer"): boolean {
  for (const [name, value] of parameters) {
    const flag = name === "server_no_context_takeover" || name === "client_no_context_takeover";
    if (flag && value === null) continue;
    const bits = value !== null && /^(?:[89]|1[0-5])$/.test(value);
    if (name === "server_max_window_bits" && bits) continue;
    // Only who has said that it can be told so may be told so, and we have not.
    if (name === "client_max_window_bits" && of === "offer" && (value === null || bits)) continue;
    return false;
  }
  return true;
}

/** The extensions of a header. One with a parameter twice has the parameter "", which none may have. */
function parse(header: string): { name: string; parameters: Parameters }[] {
  return header.split(",").map((extension) => {
    const [name, ...rest] = extension.split(";").map((part) => part.trim());
    const parameters = new Map<string, string | null>();
    for (const part of rest) {
      const [key, value, more] = part.split("=").map((side) => side.trim());
      const wrong = more !== undefined || parameters.has(key);
      parameters.set(wrong ? "" : key, value?.replace(/^"(.*)"$/, "$1") ?? null);
    }
    return { name, parameters };
  });
}
