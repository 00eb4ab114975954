/** msgpack, loaded when it is first asked for. */

/**
 * As zwire/rpc has it: integers stay integers, bytes stay bytes, keys are text, and what a peer sends is checked before memory
 * is taken for it.
 */
export async function loadMessagePack(): Promise<{
  encode(value: unknown): Uint8Array;
  decode(part: Uint8Array): unknown;
}> {
  const { Codec, sendable } = await import("../rpc/wire/codec.js");
  const codec = new Codec(undefined, false);
  return {
    encode: (value) => codec.encode(sendable(value, "value")),
    decode: (part) => codec.decodeCarefully(part),
  };
}
