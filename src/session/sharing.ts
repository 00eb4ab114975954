/**
 * Agrees on shared memory, and on contexts of traces, in the metadata of a handshake: each side says that it can, and with which
 * form of it. A peer that says nothing, or another version, changes nothing. The memory itself is the stream's.
 */
import { CARRIED_BYTES } from "../base/carried.js";
import { Buffer, userId } from "../base/platform.js";
import type { OptionValues } from "../options/options.js";
import type { Properties } from "../security/properties.js";
import type { Stream } from "../transport/contract/transport.js";
import { getProperty, type Metadata } from "../wire/zmtp/metadata.js";

/** A name that programs cannot give to a property of their own (security/properties.ts). */
const NAME = "X-zwire-shm";
/** Parts of messages may lie in memory of ours that the peer maps, and the other way round. */
const LOANS = "X-zwire-loans";
/** A part in front of each message is the context of a trace (docs/observability.md). */
const TRACE = "X-zwire-trace";
/** Of the agreement and of the memory's layout (native/io/ring.h). */
const VERSION = Buffer.from("1");

/** Whether this side of a connection can, and may, share memory. */
function mayShare(stream: Stream, options: OptionValues): boolean {
  return options.sharedMemory && stream.sharable === true;
}

/** Whether a part with a context passes the limits of a socket. */
function mayCarry({ maxMessageSize }: OptionValues): boolean {
  return maxMessageSize === -1 || maxMessageSize >= CARRIED_BYTES;
}

/** Whether contexts of traces go with messages. Peers that know them know commands, too. */
export function agreedToCarry(carries: boolean, options: OptionValues, peer: PeerSaid): boolean {
  return carries && mayCarry(options) && peer.commands && says(peer.metadata, TRACE);
}

/** What a peer has said in its handshake. */
interface PeerSaid {
  readonly metadata: Metadata;
  readonly commands: boolean;
}

/** Before the stream starts. @returns properties for our READY, with the announcements of what we can */
export function announce(stream: Stream, options: OptionValues, carries: boolean): Properties {
  const properties = announceMemory(stream, options);
  return carries && mayCarry(options) ? new Map([...properties, [TRACE, VERSION]]) : properties;
}

function announceMemory(stream: Stream, options: OptionValues): Properties {
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
  const ours = [NAME, LOANS, TRACE];
  if (ours.every((name) => getProperty(said, name) === undefined)) return said;
  const hidden = ours.map((name) => name.toLowerCase());
  return new Map([...said].filter(([name]) => !hidden.includes(name.toLowerCase())));
}

/** The handshake is complete: lets the stream use shared memory if both sides can. */
export function agree(stream: Stream, options: OptionValues, said: Metadata): void {
  if (mayShare(stream, options)) stream.agreed?.(says(said, NAME));
}
