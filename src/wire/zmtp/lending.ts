/**
 * Commands between two zwire peers about memory that one has lent to the other (docs/shared-memory.md). They are sent
 * only to a peer that has announced that it knows them; anybody else would ignore them (F18).
 */
import { Buffer } from "../../base/platform.js";
import { encodeCommand } from "./command.js";

/** In place of a part: "it lies in the memory that I have offered to you". */
export const LEND = "LEND";
/** "I need these parts no more." */
export const RETURN = "RETURN";
/** The answer to an offer of memory. */
export const POOL = "POOL";

/** A part that lies in the sender's memory. */
export interface LentPart {
  /** Names it when it is returned. */
  readonly id: number;
  /** Which of the memories that the sender has offered, counted from 0. */
  readonly pool: number;
  readonly offset: number;
  readonly length: number;
  /** Another part of the message follows. */
  readonly more: boolean;
}

const LEND_BYTES = 19;
/** A whole LEND command: header, name, data. */
export const LEND_FRAME_BYTES = 2 + 1 + LEND.length + LEND_BYTES;
const LEND_START = encodeCommand(LEND, Buffer.alloc(LEND_BYTES)).subarray(0, LEND_FRAME_BYTES - LEND_BYTES);

/** Writes a LEND command to `bytes`. */
export function writeLend(bytes: Buffer, at: number, part: LentPart): void {
  bytes.set(LEND_START, at);
  const data = at + LEND_START.length;
  bytes[data] = part.more ? 1 : 0;
  bytes.writeUInt16BE(part.pool, data + 1);
  bytes.writeUIntBE(part.offset, data + 3, 6);
  bytes.writeUIntBE(part.length, data + 9, 6);
  bytes.writeUInt32BE(part.id, data + 15);
}

/** undefined if it is malformed. */
export function parseLend(data: Buffer): LentPart | undefined {
  if (data.length !== LEND_BYTES || data[0] > 1) return undefined;
  return {
    more: data[0] === 1,
    pool: data.readUInt16BE(1),
    offset: data.readUIntBE(3, 6),
    length: data.readUIntBE(9, 6),
    id: data.readUInt32BE(15),
  };
}

/** A RETURN command. */
export function encodeReturn(ids: readonly number[]): Buffer {
  const data = Buffer.allocUnsafe(4 * ids.length);
  for (let i = 0; i < ids.length; i++) data.writeUInt32BE(ids[i], 4 * i);
  return encodeCommand(RETURN, data);
}

/** undefined if it is malformed. */
export function parseReturn(data: Buffer): number[] | undefined {
  if (data.length % 4 !== 0) return undefined;
  const ids: number[] = [];
  for (let at = 0; at < data.length; at += 4) ids.push(data.readUInt32BE(at));
  return ids;
}

/** A POOL command: whether the memory that was offered as number `pool` can be used. */
export function encodePool(pool: number, usable: boolean): Buffer {
  const data = Buffer.allocUnsafe(3);
  data.writeUInt16BE(pool);
  data[2] = usable ? 1 : 0;
  return encodeCommand(POOL, data);
}

/** undefined if it is malformed. */
export function parsePool(data: Buffer): { readonly pool: number; readonly usable: boolean } | undefined {
  if (data.length !== 3 || data[2] > 1) return undefined;
  return { pool: data.readUInt16BE(0), usable: data[2] === 1 };
}
