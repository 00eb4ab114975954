/**
 * A stream that encrypts, between a session and the stream of a transport: each frame travels in a CURVE box, and the
 * session sees plain frames only. So connections without encryption cost nothing extra. Until `secure` is called, bytes
 * pass through unchanged. The segments of a write are not modified, so that a pipe can send them again, and the bytes
 * that are reported as pending are plain ones.
 */

import { memoryGone } from "../../base/errors.js";
import type { HttpRequest } from "../../base/http.js";
import { totalNow } from "../../base/message.js";
import type { Buffer } from "../../base/platform.js";
import type { Runtime } from "../../base/runtime.js";
import type { TlsPeer } from "../../base/tls.js";
import { newSlab } from "../../engine/outgoing/slab-pool.js";
import {
  type EndOfWriting,
  FrameFault,
  type FrameLimits,
  type PeerCredentials,
  type SharedMemory,
  type Stream,
  type StreamHandler,
} from "../../transport/contract/transport.js";
import type { CipherKeys } from "../../wire/zmtp/mechanisms/mechanism.js";
import { ProtocolError } from "../../wire/zmtp/protocol-error.js";
import type { Crypto } from "../crypto/crypto.js";
import { OUTPUT_BYTES } from "../crypto/heap.js";
import { OVERHEAD } from "../crypto/message-box.js";
import { type MessageOpener, OpenFault } from "../crypto/message-opener.js";
import type { MessageSealer } from "../crypto/message-sealer.js";
import { plainTaken, plainUnread, sealedExtent } from "../crypto/sealed-frames.js";

/** No limit for the decoder of outer frames, which never have MORE. The opener counts the parts. */
const ANY_PARTS = 2 ** 31 - 1;
/** The largest body of an outer frame. */
const OUTER_CEILING = 2 ** 31 - 1;
/** The most slabs that are sealed in one turn. It takes some milliseconds; then timers and other sockets are served. */
const SLABS_PER_TURN = 16;
/** The most free slabs that are kept for all connections. */
const RETAINED_SLABS = 4;

const slabs: Buffer[] = [];

/** Memory into which sealed bytes go. */
class SealedMemory implements SharedMemory {
  readonly #inner: SharedMemory;

  constructor(inner: SharedMemory) {
    this.#inner = inner;
  }

  get written(): number {
    return this.#inner.written;
  }

  get passed(): number {
    return this.#inner.passed;
  }

  unread(segments: readonly Uint8Array[], behind: number): number {
    return plainUnread(segments, behind);
  }

  extent(segments: readonly Uint8Array[]): number {
    return sealedExtent(segments);
  }
}

export class SealedStream implements Stream, StreamHandler {
  readonly #inner: Stream;
  readonly #runtime: Runtime;
  memory: SharedMemory | null = null;
  #handler: StreamHandler | null = null;
  #closed = false;
  #limits: FrameLimits | null = null;
  #crypto: Crypto | null = null;
  #keys: CipherKeys | null = null;
  #sealer: MessageSealer | null = null;
  #opener: MessageOpener | null = null;
  /** The last bytes of the handshake, if the kernel has not taken them yet. */
  #handshake: Uint8Array[] | null = null;
  /** The segments of the session's current write; null if there is none. */
  #segments: readonly Uint8Array[] | null = null;
  #total = 0;
  /** Sealed bytes of this write that the transport has got. */
  #given = 0;
  /** The memory of the chunk that is being written, which is reused. */
  #slab: Buffer | null = null;

  constructor(inner: Stream, runtime: Runtime) {
    this.#inner = inner;
    this.#runtime = runtime;
  }

  get engine(): "native" | "portable" {
    return this.#inner.engine;
  }

  get remoteAddress(): string {
    return this.#inner.remoteAddress;
  }

  get localAddress(): string {
    return this.#inner.localAddress;
  }

  get received(): number {
    return this.#inner.received;
  }

  get partial(): boolean {
    return this.#inner.partial;
  }

  get unpacking(): boolean {
    return this.#inner.unpacking === true;
  }

  get unsent(): number {
    return this.#inner.unsent + this.#unsealed();
  }

  get untaken(): number {
    return this.#plainPending(this.#inner.untaken);
  }

  get http(): HttpRequest | undefined {
    return this.#inner.http;
  }

  get tls(): TlsPeer | undefined {
    return this.#inner.tls;
  }

  get sharable(): boolean {
    return this.#inner.sharable === true;
  }

  share(bytes: number, spinMicroseconds: number): void {
    this.#inner.share?.(bytes, spinMicroseconds);
  }

  agreed(yes: boolean): void {
    this.#inner.agreed?.(yes);
  }

  endWriting(peerKeeps: boolean): EndOfWriting {
    return this.#inner.endWriting?.(peerKeeps) ?? "impossible";
  }

  recycle(): void {
    this.#inner.recycle?.();
  }

  start(handler: StreamHandler): void {
    this.#handler = handler;
    this.#inner.start(this);
  }

  /**
   * Called when the handshake is done: from now on, all writes are sealed. startFrames() must follow.
   * @param handshake bytes of the handshake that have not been written yet
   */
  secure(crypto: Crypto, keys: CipherKeys, handshake: Uint8Array[]): void {
    this.#crypto = crypto;
    this.#keys = keys;
    this.#sealer = crypto.sealer(keys);
    if (handshake.length > 0) this.#handshake = handshake;
  }

  startFrames(limits: FrameLimits, leftover: Uint8Array): void {
    this.#opener = (this.#crypto as Crypto).opener(this.#keys as CipherKeys, limits);
    this.#limits = limits;
    const inside = Math.min(limits.maxMessageBytes, limits.maxFrameBytes);
    const outer = Math.min(Math.max(inside, limits.maxCommandBytes) + OVERHEAD, OUTER_CEILING);
    // P9: the outer frame may have the flag of a command, so both limits are equal.
    const outerLimits = {
      maxFrameBytes: outer,
      maxCommandBytes: outer,
      maxParts: ANY_PARTS,
      maxMessageBytes: outer,
    };
    this.#inner.startFrames(outerLimits, leftover);
  }

  // Out

  /** Seals and writes one slab at a time, so that a large batch is sealed only as fast as it is sent. */
  write(segments: readonly Uint8Array[]): number {
    if (this.#sealer === null) return this.#inner.write(segments);
    this.#segments = segments;
    this.#total = totalNow(segments);
    this.#given = 0;
    this.#sealer.begin(segments);
    return this.#pump();
  }

  /** Returns 0 if everything is written, or else a positive number; then onDrain follows. */
  #pump(): number {
    const sealer = this.#sealer as MessageSealer;
    if (totalNow(this.#segments as readonly Uint8Array[]) !== this.#total) {
      this.#runtime.later(() => this.#fail(memoryGone()));
      return 1;
    }
    let left = SLABS_PER_TURN;
    while (sealer.remaining) {
      if (left-- === 0) {
        this.#runtime.later(() => this.#continue());
        return 1;
      }
      const slab = this.#slab ?? slabs.pop() ?? newSlab(OUTPUT_BYTES);
      this.#slab = slab;
      const filled = sealer.fill(slab);
      const chunk = filled > 0 ? slab.subarray(0, filled) : sealer.sealAlone();
      this.#given += chunk.length;
      if (chunk.length === 0) {
        const error = sealingError(sealer);
        this.#runtime.later(() => this.#fail(error));
        return 1;
      }
      if (this.#inner.write([chunk]) > 0) return 1;
    }
    this.#written();
    return 0;
  }

  /** Continues in a later turn. The kernel has taken everything that was written so far. */
  #continue(): void {
    if (!this.#closed && this.#pump() === 0) this.#handler?.onDrain();
  }

  #written(): void {
    this.#segments = null;
    this.#sealer?.begin([]);
    const slab = this.#slab;
    this.#slab = null;
    if (slab !== null && slabs.length < RETAINED_SLABS) slabs.push(slab);
  }

  onDrain(): void {
    const handshake = this.#handshake;
    if (handshake !== null) {
      this.#handshake = null;
      if (this.#inner.write(handshake) > 0) return;
    }
    if (this.#segments !== null && this.#pump() > 0) return;
    this.#handler?.onDrain();
  }

  onMemory(): void {
    this.memory = new SealedMemory(this.#inner.memory as SharedMemory);
    this.#handler?.onMemory?.();
  }

  // In

  onBytes(chunk: Buffer): void {
    this.#handler?.onBytes(chunk);
  }

  onFrames(chunk: Buffer, table: Uint32Array, count: number): void {
    const opener = this.#opener as MessageOpener;
    if (opener.fault !== OpenFault.none) return;
    const good = opener.open(chunk, table, count);
    if (good > 0) this.#handler?.onFrames(chunk, table, good);
    if (good < count) this.#failOpening(opener);
  }

  onLargeFrame(body: Buffer): void {
    const opener = this.#opener as MessageOpener;
    if (opener.fault !== OpenFault.none) return;
    const flags = opener.openAlone(body);
    if (flags < 0) this.#failOpening(opener);
    else this.#handler?.onLargeFrame(body.subarray(OVERHEAD), flags);
  }

  #failOpening(opener: MessageOpener): void {
    const { fault, faultSize } = opener;
    if (fault <= OpenFault.messageTooLarge)
      this.#end(undefined, fault as FrameFault, faultSize, this.#unsealed());
    else this.#fail(openingError(fault, faultSize));
  }

  /** Closes with an error. What was sealed counts as taken, as always if we close the connection (E14). */
  #fail(error: Error): void {
    this.#end(error, FrameFault.none, 0, this.#unsealed());
  }

  /** Plain bytes that have not been sealed, so the kernel never had them. */
  #unsealed(): number {
    if (this.#segments === null) return 0;
    return this.#total - (this.#sealer as MessageSealer).position;
  }

  #end(error: Error | undefined, fault: FrameFault, size: number, pending: number): void {
    const handler = this.#handler;
    this.close();
    handler?.onClose(error, fault, pending, size);
  }

  onClose(
    error: NodeJS.ErrnoException | undefined,
    fault: FrameFault,
    pendingBytes: number,
    size: number,
  ): void {
    const pending = this.#plainPending(pendingBytes);
    if (fault === FrameFault.none) this.#end(error, fault, size, pending);
    else this.#outerTooLarge(size - OVERHEAD, pending);
  }

  /** Converts bytes that the transport tells as pending into plain pending bytes of the session's write. */
  #plainPending(pendingBytes: number): number {
    // Between two writes, what is pending is sealed, and in memory that both sides share.
    if (this.#segments === null) return this.#sealer === null ? pendingBytes : 0;
    const taken = Math.max(0, this.#given - pendingBytes);
    return this.#total - plainTaken(this.#segments, taken);
  }

  /** The decoder has refused an outer frame by its size. Finds out which limit of the inner frame was exceeded. */
  #outerTooLarge(size: number, pending: number): void {
    const { maxFrameBytes } = this.#limits as FrameLimits;
    const fault = size > maxFrameBytes ? FrameFault.frameTooLarge : FrameFault.messageTooLarge;
    this.#end(undefined, fault, size, pending);
  }

  peerCredentials(): PeerCredentials | undefined {
    return this.#inner.peerCredentials?.();
  }

  pause(): void {
    this.#inner.pause();
  }

  resume(): void {
    this.#inner.resume();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handler = null;
    this.#inner.close();
  }

  ref(): void {
    this.#inner.ref();
  }

  unref(): void {
    this.#inner.unref();
  }
}

function sealingError({ exhausted }: MessageSealer): ProtocolError {
  if (exhausted) {
    const text = "this connection has used all its nonces: a new connection is needed";
    return new ProtocolError("nonce-exhausted", text, { rule: "P12", kind: "other" });
  }
  const text = "a part is too large for libsodium's WebAssembly build: install the package sodium-native";
  return new ProtocolError("frame-too-large", text, { rule: "P8", kind: "other" });
}

function openingError(fault: OpenFault, size: number): ProtocolError {
  if (fault === OpenFault.sequence) {
    const text = "a message's nonce is not above the last one's";
    return new ProtocolError("invalid-sequence", text, { rule: "P13", size });
  }
  if (fault === OpenFault.box) {
    return new ProtocolError(
      "cryptographic",
      "a message's box cannot be opened: it was changed, or made with other keys",
      { rule: "P14", size },
    );
  }
  const text = "a frame after the handshake is not a MESSAGE command";
  return new ProtocolError("malformed-message", text, { rule: "P14", size });
}
