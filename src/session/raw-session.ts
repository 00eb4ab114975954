/**
 * One connection of a STREAM socket: carries bytes unchanged in both directions (section M), without handshake, framing
 * or heartbeats (M8). Knows nothing of routing: the socket puts the connection's name before each chunk.
 */

import type { Deadline } from "../base/deadline.js";
import { Dismissal } from "../base/dismissal.js";
import { memoryGone } from "../base/errors.js";
import type { Peer } from "../base/events.js";
import { Buffer } from "../base/platform.js";
import { TlsError } from "../base/tls.js";
import type { PipeLink, PipeOutlet } from "../engine/linked-pipe.js";
import type { StreamPipe } from "../engine/stream-pipe.js";
import type { FrameFault, Stream, StreamHandler } from "../transport/contract/transport.js";
import { ProtocolError } from "../wire/zmtp/protocol-error.js";
import type { Connection, SessionOwner } from "./owner.js";
import { Arrivals } from "./tally.js";

const NO_METADATA: ReadonlyMap<string, Buffer> = new Map();
const NO_NAME = Buffer.alloc(0);

export class RawSession implements StreamHandler, PipeLink, PipeOutlet, Connection {
  readonly stream: Stream;
  peer: Peer | undefined;
  readonly tally: Arrivals;
  readonly #owner: SessionOwner;
  #pipe: StreamPipe | null = null;
  #closed = false;
  #writing = false;
  readonly #handshakeMs: number;
  /** Of the handshake, over TLS. */
  #timer: Deadline | undefined;

  /** @param handshakeMs milliseconds that a handshake of TLS may take; 0 for no limit */
  constructor(owner: SessionOwner, stream: Stream, handshakeMs: number) {
    this.#owner = owner;
    this.stream = stream;
    this.tally = new Arrivals(owner.runtime.now(), null);
    this.#handshakeMs = handshakeMs;
  }

  start(): void {
    if (this.stream.secures !== true) this.#begin();
    else {
      const limit = this.#handshakeMs;
      const text = `no complete TLS handshake within ${limit} ms (handshakeInterval)`;
      const late = (): void =>
        this.#end(new ProtocolError("handshake-timeout", text, { rule: "S7", kind: "other" }));
      if (limit > 0) this.#timer = this.#owner.runtime.loop.deadline(limit, late).unref();
      this.stream.start(this);
    }
  }

  onSecure(): void {
    this.#timer?.cancel();
    this.#begin();
  }

  #begin(): void {
    const { remoteAddress: address, tls, secures } = this.stream;
    const known = { id: this.#owner.nextPeerId(), address, endpoint: this.#owner.endpoint, socketType: "" };
    const peer: Peer = { ...known, routingId: NO_NAME, metadata: NO_METADATA, ...(tls && { tls }) };
    this.peer = peer;
    const pipe = this.#owner.sessionReady(this, peer);
    this.#pipe = pipe;
    if (secures !== true) this.stream.start(this);
    pipe.link(this, this);
    this.#owner.sessionLinked(pipe, peer);
  }

  onBytes(chunk: Buffer): void {
    const { tally } = this;
    tally.messages++;
    tally.bytes += chunk.length;
    tally.heardAt = this.#owner.runtime.now();
    this.#pipe?.deliver([chunk]);
    this.#pipe?.delivered(0);
  }

  onFrames(): void {
    throw new Error("assertion: frames on a raw connection");
  }

  onLargeFrame(): void {
    throw new Error("assertion: a frame on a raw connection");
  }

  onDrain(): void {
    this.#writing = false;
    this.#pipe?.taken();
    this.flush();
  }

  onClose(error: NodeJS.ErrnoException | undefined, _fault: FrameFault): void {
    // Whether a peer that leaves without a byte has refused us, nobody knows: here it may have had nothing to say.
    this.#end(this.peer !== undefined && error instanceof TlsError ? undefined : error);
  }

  flush(): void {
    while (!this.#writing && !this.#closed) {
      const pipe = this.#pipe;
      const batch = pipe?.takeBatch() ?? null;
      if (pipe === null || batch === null) return;
      if (!batch.intact) {
        this.#writing = true;
        this.#owner.runtime.later(() => this.#end(memoryGone())); // later: the application may be inside its call of send()
      } else if (this.stream.write(batch.seal()) > 0) this.#writing = true;
      else pipe.taken();
    }
  }

  sendSubscription(): void {
    throw new Error("assertion: a subscription on a raw connection");
  }

  pauseReading(): void {
    this.stream.pause();
  }

  resumeReading(): void {
    if (!this.#closed) this.stream.resume();
  }

  /** The application closes this connection (M4). First writes what this turn has gathered, if the kernel takes it. */
  fail(error: Error): void {
    this.flush();
    this.#end(error instanceof Dismissal ? error : undefined, true);
  }

  endWriting(peerKeeps: boolean): boolean {
    if (this.#closed || this.#writing) return this.#closed;
    const ended = this.stream.endWriting?.(peerKeeps) ?? "impossible";
    if (ended === "ended")
      this.#writing = true; // for ever
    else if (ended === "impossible") this.#end(undefined);
    return ended !== "busy";
  }

  #end(error: Error | undefined, final = false): void {
    if (this.#closed) return;
    this.close();
    this.#owner.sessionEnded(this, { wasReady: this.peer !== undefined, error, final });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    this.stream.close();
    const pipe = this.#pipe;
    this.#pipe = null;
    // Bytes without framing cannot be continued on another connection (M4).
    pipe?.discardOutbound();
    pipe?.unlink(0, false);
  }
}
