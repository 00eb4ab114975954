/**
 * Agrees on shared memory in the metadata of a handshake: each side says that it can, and with which form of it. A peer
 * that says nothing, or another version, changes nothing. The memory itself is the stream's.
 */
import { Buffer } from "../base/platform.js";
import type { OptionValues } from "../options/options.js";
import type { Properties } from "../security/properties.js";
import type { Stream } from "../transport/contract/transport.js";
import { getProperty, type Metadata } from "../wire/zmtp/metadata.js";

/** A name that programs cannot give to a property of their own (security/properties.ts). */
const NAME = "X-zwire-shm";
/** Of the agreement and of the memory's layout (native/io/ring.h). */
const VERSION = "1";

/** Whether this side of a connection can, and may, share memory. */
function mayShare(stream: Stream, options: OptionValues): boolean {
  return options.sharedMemory && stream.sharable === true;
}

/** Before the stream starts. @returns properties for our READY, with the announcement if we can share memory */
export function announce(stream: Stream, options: OptionValues): Properties {
  const { metadata, sharedMemorySize, spinMicroseconds } = options;
  if (!mayShare(stream, options)) return metadata;
  stream.share?.(2 ** Math.ceil(Math.log2(sharedMemorySize)), spinMicroseconds);
  return new Map([...metadata, [NAME, Buffer.from(VERSION)]]);
}

/** What the peer has said, without the announcement, which is no business of the program. */
export function withoutAnnouncement(said: Metadata): Metadata {
  if (getProperty(said, NAME) === undefined) return said;
  return new Map([...said].filter(([name]) => name.toLowerCase() !== NAME.toLowerCase()));
}

/** The handshake is complete: lets the stream use shared memory if both sides can. */
export function agree(stream: Stream, options: OptionValues, said: Metadata): void {
  if (mayShare(stream, options)) stream.agreed?.(getProperty(said, NAME)?.toString("latin1") === VERSION);
}
