/**
 * Agrees on shared memory in the metadata of a handshake: each side says that it can, and with which form of it. A peer
 * that says nothing, or another version, changes nothing. The memory itself is the stream's.
 */
import { Buffer, userId } from "../base/platform.js";
import type { OptionValues } from "../options/options.js";
import type { Properties } from "../security/properties.js";
import type { Stream } from "../transport/contract/transport.js";
import { getProperty, type Metadata } from "../wire/zmtp/metadata.js";

/** A name that programs cannot give to a property of their own (security/properties.ts). */
const NAME = "X-zwire-shm";
/** Parts of messages may lie in memory of ours that the peer maps, and the other way round. */
const LOANS = "X-zwire-loans";
/** Of the agreement and of the memory's layout (native/io/ring.h). */
const VERSION = Buffer.from("1");

/** Whether this side of a connection can, and may, share memory. */
function mayShare(stream: Stream, options: OptionValues): boolean {
  return options.sharedMemory && stream.sharable === true;
}

/** Before the stream starts. @returns properties for our READY, with the announcement if we can share memory */
export function announce(stream: Stream, options: OptionValues): Properties {
  const { metadata, sharedMemorySize, spinMicroseconds } = options;
  if (!mayShare(stream, options)) return metadata;
  stream.share?.(2 ** Math.ceil(Math.log2(sharedMemorySize)), spinMicroseconds);
  const properties = new Map([...metadata, [NAME, VERSION]]);
  // Loans cannot be encrypted.
  return mayLend(stream) ? properties.set(LOANS, VERSION) : properties;
}

/** Whether loans may pass between us and this peer: only within one user, because a pool shows all that is in it. */
function mayLend(stream: Stream): boolean {
  return stream.offer !== undefined && stream.peerCredentials?.()?.userId === userId();
}

/** Whether both sides can pass loans. */
export function mayPassLoans(stream: Stream, options: OptionValues, said: Metadata): boolean {
  return mayShare(stream, options) && mayLend(stream) && says(said, LOANS) && says(said, NAME);
}

function says(said: Metadata, name: string): boolean {
  return getProperty(said, name)?.equals(VERSION) === true;
}

/** What the peer has said, without the announcement, which is no business of the program. */
export function withoutAnnouncement(said: Metadata): Metadata {
  if (getProperty(said, NAME) === undefined && getProperty(said, LOANS) === undefined) return said;
  const ours = [NAME.toLowerCase(), LOANS.toLowerCase()];
  return new Map([...said].filter(([name]) => !ours.includes(name.toLowerCase())));
}

/** The handshake is complete: lets the stream use shared memory if both sides can. */
export function agree(stream: Stream, options: OptionValues, said: Metadata): void {
  if (mayShare(stream, options)) stream.agreed?.(says(said, NAME));
}
