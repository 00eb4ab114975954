/**
 * The ways in which a network may cut bytes into chunks: every wire vector runs in all of them, and the result must
 * be the same. Knows nothing of what the bytes mean.
 */

/** One way to receive bytes. */
export interface Way {
  /** For the message of a failing test. */
  readonly how: string;
  readonly chunks: Buffer[];
}

/** Above this many bytes, cutting in two is tried near both ends only. */
const EVERY_CUT_UP_TO = 1000;
const NEAR = 100;

/** Whole, cut in two at every byte, byte by byte, and with empty chunks between. */
export function* everyWay(octets: Buffer): Generator<Way> {
  yield { how: "whole", chunks: [octets] };
  for (let at = 1; at < octets.length; at++) {
    if (octets.length > EVERY_CUT_UP_TO && at > NEAR && at < octets.length - NEAR) continue;
    yield { how: `cut at ${at}`, chunks: [octets.subarray(0, at), octets.subarray(at)] };
  }
  const single = Array.from(octets, (_, at) => octets.subarray(at, at + 1));
  yield { how: "octet by octet", chunks: single };
  yield { how: "with empty chunks", chunks: single.flatMap((octet) => [octet, Buffer.alloc(0)]) };
}

/** What may follow a vector in the same segment: a message frame, and the beginning of another. */
export const TRAILING = Buffer.from("000568656c6c6f01ff", "hex");

/** Vectors as rows for `it.each(...)("%s", (_, vector) => ...)`, which prints a title whole. */
export function titled<T extends { readonly title: string }>(
  vectors: readonly T[],
): [title: string, vector: T][] {
  return vectors.map((vector) => [vector.title, vector]);
}
