/**
 * The used part of msgpackr. Its code, msgpackr.js beside this file, is made by scripts/vendor.mjs. The declarations of the
 * package itself lack `int64AsType: "auto"`.
 */
import type { Buffer } from "node:buffer";

export interface Options {
  /** false: plain msgpack, without the extension by which objects of one shape share a list of their keys. */
  readonly useRecords: false;
  /** Whether the head of a map is the shortest. Default false: of 16 bits. */
  readonly variableMapSize?: boolean;
  /** Whether undefined becomes nil. Default false: an extension that only msgpackr reads. */
  readonly encodeUndefinedAsNil?: boolean;
  /** Whether maps are read as objects (default), or as Maps. */
  readonly mapsAsObjects?: boolean;
  /** "auto": integers of 64 bits are read as numbers up to 2 ** 53, and as bigints above. Default: bigints. */
  readonly int64AsType?: "auto";
}

export class Unpackr {
  constructor(options: Options);
  /** @throws Error if the bytes are not exactly one value */
  unpack(bytes: Uint8Array): unknown;
}

export class Packr {
  constructor(options: Options);
  pack(value: unknown): Buffer;
}
