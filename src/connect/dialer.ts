/**
 * One connected endpoint: dials, hands the connection to a session, and dials again when it is lost. Its pipe lives
 * across reconnections and keeps its queue (G2, G3), unless `immediate` asks for the opposite (S8).
 */

import { AssertionError } from "../base/assert.js";
import { type Deadline, LONGEST_MS } from "../base/deadline.js";
import { Dismissal } from "../base/dismissal.js";
import type { Peer } from "../base/events.js";
import { rowOf } from "../base/machine.js";
import type { Buffer } from "../base/platform.js";
import type { Runtime } from "../base/runtime.js";
import { TlsError } from "../base/tls.js";
import type { Pipe } from "../engine/pipe.js";
import { StreamPipe } from "../engine/stream-pipe.js";
import type { OptionValues } from "../options/options.js";
import { optionsNow } from "../options/values.js";
import {
  type Connection,
  openConnection,
  type SessionEnd,
  type SessionOwner,
} from "../session/connection.js";
import type { EndpointHandle, Link, SocketHost } from "../session/host.js";
import { greetingOf, tellLost, tellMade } from "../session/notices.js";
import type { Stream, Transport } from "../transport/contract/transport.js";
import { ProtocolError } from "../wire/zmtp/protocol-error.js";
import { Backoff } from "./backoff.js";
import {
  DIALLING,
  type DialEvents,
  type Dialling,
  type DialState,
  isOpen,
  isReady,
  type Retry,
} from "./dial-states.js";
import { flushed } from "./linger.js";
import { linkOf } from "./link.js";
import { type Place, reportEnd, tellHandshake, tellTls } from "./report.js";

/** Where to dial. */
export interface DialTarget {
  /** As the application wrote it. */
  readonly endpoint: string;
  /** What follows `://`. */
  readonly address: string;
  /** How the socket will name the peer, where connect() said so (I11). */
  readonly routingId: Buffer | null;
  /** A numeric address of the host; else its name is looked up for each attempt. */
  readonly host?: string;
}

/** Bits of reconnectStop, libzmq's. */
const STOP_REFUSED = 1;
const STOP_HANDSHAKE_FAILED = 2;
const STOP_AFTER_DISCONNECT = 4;

export class Dialer implements SessionOwner, EndpointHandle, Dialling {
  readonly endpoint: string;
  readonly socketType: string;
  readonly #address: string;
  readonly #known: string | undefined;
  readonly routingId: Buffer | null;
  readonly #transport: Transport;
  readonly #host: SocketHost;
  readonly #options: OptionValues;
  readonly #backoff: Backoff;
  readonly #onStopped: () => void;
  #state: DialState = "waiting";
  #pipe: StreamPipe | null = null;
  #session: Connection | null = null;
  #abort: AbortController | null = null;
  /** It dials no more when nothing waits for its peer. */
  #draining = false;
  /** Of the wait before the next attempt, or of the limit of the present one: what keeps the process alive meanwhile. */
  #timer: Deadline | undefined;
  #retired = false;
  /** Of the present or the last peer; 0 before the first. */
  peerId = 0;

  /** @param onStopped the dialler will not dial again by itself: forget the endpoint (S4, D2) */
  constructor(host: SocketHost, transport: Transport, target: DialTarget, onStopped: () => void) {
    this.#host = host;
    this.#transport = transport;
    this.endpoint = target.endpoint;
    this.#address = target.address;
    this.#known = target.host;
    this.routingId = target.routingId;
    this.#onStopped = onStopped;
    this.socketType = host.socketType;
    // Whom we dialled is no stranger, and would only be dialled again.
    this.#options = optionsNow(host.options);
    this.#options.idleTimeout = 0;
    const { reconnectInterval, reconnectMaxInterval } = this.#options;
    this.#backoff = new Backoff(reconnectInterval, reconnectMaxInterval, () => host.runtime.random());
  }

  /** Begin to dial; messages queue from now on, unless `immediate`. */
  start(): void {
    this.attach();
    this.#on("dial", undefined);
  }

  /** Stores the next state before it acts: listeners may come back with another event. */
  #on<E extends keyof DialEvents>(event: E, argument: DialEvents[E]): void {
    const [next, act] = rowOf(DIALLING, this.#state, event);
    this.#state = next;
    act?.(this, argument);
  }

  attach(): void {
    if (this.#pipe !== null || this.#options.immediate) return;
    this.#pipe = this.#newPipe();
    this.#host.attachPipe(this.#pipe);
  }

  /** Bytes without framing cannot be continued on another connection: then a queue dies with its own. */
  get #losesQueue(): boolean {
    return this.#options.immediate || this.#host.raw;
  }

  #newPipe(): StreamPipe {
    const { options, runtime } = this.#host;
    const pipe = new StreamPipe(this.#host, options, runtime.turnEnd, this.#options.conflate);
    pipe.routingId = this.routingId;
    pipe.dialled = true;
    return pipe;
  }

  resetBackoff(): void {
    this.#backoff.reset();
  }

  dial(): void {
    void this.#dial();
  }

  async #dial(): Promise<void> {
    this.#host.emitEvent("connect:delay", { address: this.endpoint });
    if (this.#stopped) return; // by a listener of that event
    const abort = new AbortController();
    this.#abort = abort;
    const { connectTimeout } = this.#options;
    const expired = (): void => {
      if (connectTimeout > 0) abort.abort(timeoutError(connectTimeout));
    };
    // Also without a limit: ref() and unref() reach the timer at any time, and the attempt only at its beginning.
    const timer = this.runtime.loop.deadline(connectTimeout > 0 ? connectTimeout : LONGEST_MS, expired);
    if (!this.#host.refed) timer.unref();
    this.#timer = timer;
    let stream: Stream;
    try {
      stream = await this.#transport.connect(this.#address, this.#options, abort.signal, false, this.#known);
    } catch (error) {
      this.#pipe?.leftover.forget();
      this.#failed(error as Error);
      return;
    } finally {
      timer.cancel();
      this.#abort = null;
    }
    // Outside of any catch: what a listener of an event throws is the application's, and not a failed attempt.
    this.#on("connected", stream);
  }

  /** An attempt brought no connection. */
  #failed(error: Error): void {
    if (this.#open) tellTls(this.#host, this.#place, error);
    const { reconnectStop } = this.#options;
    const stops = STOP_REFUSED | (this.#open ? 0 : STOP_AFTER_DISCONNECT);
    if ((reconnectStop & stops) !== 0 && (error as NodeJS.ErrnoException).code === "ECONNREFUSED")
      this.#on("give", undefined);
    else this.#retry(error, this.#backoff.next());
  }

  established(stream: Stream): void {
    if (this.#host.refed) stream.ref();
    else stream.unref();
    this.#host.emitEvent("connect", { address: this.endpoint });
    if (this.#stopped) {
      stream.close();
      return;
    }
    this.#session = openConnection(this.#host.raw, this, stream, this.#options);
    this.#session.start();
  }

  get #place(): Place {
    return { address: this.endpoint, endpoint: this.endpoint };
  }

  /** A getter, because the state changes behind calls that the compiler cannot see through. */
  get #stopped(): boolean {
    return this.#state === "stopped";
  }

  /** close() has not been called, and it has not given up. */
  get #open(): boolean {
    return isOpen(this.#state);
  }

  #retry(error: Error | undefined, interval: number): void {
    const wanted = !this.#retired && (!this.#draining || this.unsent > 0);
    if (this.#backoff.enabled && wanted) this.#on("retry", { error, interval });
    else this.#on("give", undefined);
  }

  wait({ error, interval }: Retry): void {
    this.#timer = this.runtime.loop.deadline(interval, () => this.#on("dial", undefined));
    if (!this.#host.refed) this.#timer.unref();
    this.#host.emitEvent("connect:retry", { address: this.endpoint, interval, error });
  }

  stop(): void {
    this.#host.emitEvent("close", { address: this.endpoint });
    this.#dropPipe();
    this.#tellDropped();
    this.#onStopped();
  }

  #dropPipe(): void {
    const pipe = this.#pipe;
    this.#pipe = null;
    if (pipe === null) return;
    this.#host.lost.unsent += pipe.discardOutbound();
    this.#host.detachPipe(pipe);
    pipe.onEmpty?.(); // a close that lingers waits for nothing any more
  }

  #tellDropped(): void {
    if (!this.#host.closed) this.#host.lost.tell(this.#place);
  }

  // From the session

  get runtime(): Runtime {
    return this.#host.runtime;
  }

  get greeting(): Uint8Array[] | null {
    return greetingOf(this.#options, this.#host.options.probeRouter);
  }

  nextPeerId(): number {
    return this.#host.nextPeerId();
  }

  get carries(): boolean {
    return this.#host.carries;
  }

  passesKey(publicKey: Uint8Array): boolean {
    return this.#host.passesKey(publicKey);
  }

  refusalOf(peer: Peer): Error | null {
    return this.#open ? this.#host.refusalOf(peer, this.#pipe, this.routingId) : null;
  }

  sessionReady(_session: Connection, peer: Peer): StreamPipe {
    this.#on("shaken", undefined);
    if (this.#pipe !== null && !this.#host.resumes(this.#pipe, peer, this.routingId)) {
      this.#dropPipe();
      this.#tellDropped();
    }
    const fresh = this.#pipe === null;
    const pipe = this.#pipe ?? this.#newPipe();
    this.#pipe = pipe;
    pipe.peer = peer;
    this.peerId = peer.id;
    if (fresh && this.#open) this.#host.attachPipe(pipe);
    return pipe;
  }

  sessionLinked(pipe: StreamPipe, peer: Peer): void {
    if (this.#open) {
      this.#host.pipeConnected(pipe, peer);
      if (pipe.linked) tellMade(this.#host, pipe, this.#options);
    } else tellHandshake(this.#host, peer);
  }

  sessionEnded(session: Connection, end: SessionEnd): void {
    this.#session = null;
    this.#on("lost", () => this.#lost(session, end));
  }

  #lost(session: Connection, { wasReady, error, final }: SessionEnd): void {
    const pipe = this.#pipe;
    if (wasReady && pipe !== null) {
      if (this.#open) tellLost(this.#host, pipe, this.#options, !this.#retired);
      this.#host.pipeDisconnected(pipe);
    }
    if (!wasReady) pipe?.leftover.forget();
    const givenUp = pipe === null ? -1 : pipe.leftover.takeGivenUp();
    if (this.#losesQueue)
      this.#dropPipe(); // S8
    else pipe?.limitsChanged(); // what the kernel had taken has left room in the queue
    reportEnd(this.#host, session, this.#place, wasReady, error);
    this.#tellDropped();
    if (givenUp >= 0 && !this.#losesQueue) this.#host.lost.giveUp(session.peer, givenUp);
    const failed = !wasReady && (this.#options.reconnectStop & STOP_HANDSHAKE_FAILED) !== 0;
    if (final || failed || isAnswer(error)) this.#on("give", undefined);
    else this.#retry(error, isFault(error) ? this.#backoff.nextAfterFault() : this.#backoff.next());
  }

  // From the socket

  retire(): void {
    this.#retired = true;
  }

  /** Dials again at once: what the peer still has to say on the old connection is not wanted. */
  reset(pipe: Pipe): boolean {
    if (pipe !== this.#pipe) return false;
    const session = this.#session;
    if (session === null || !isReady(this.#state)) {
      pipe.discardOutbound(); // a request that was given up goes to no connection that is yet to come
      pipe.limitsChanged();
      return true;
    }
    this.#session = null;
    session.close();
    this.#on("lost", () => {
      this.#host.pipeDisconnected(pipe);
      this.#pipe?.limitsChanged();
      reportEnd(this.#host, session, this.#place, true, undefined);
      this.#on("dial", undefined);
    });
    return true;
  }

  get pipe(): StreamPipe | null {
    return this.#pipe;
  }

  drain(): void {
    this.#draining = true;
    if (!isReady(this.#state) && this.unsent === 0) void this.close(0);
  }

  get links(): Link[] {
    const [session, pipe] = [this.#session, this.#pipe];
    return session === null || pipe === null || !isReady(this.#state)
      ? []
      : [linkOf(this.#host, session, pipe, false)];
  }

  async close(lingerMs: number): Promise<void> {
    this.#on("leave", undefined);
    const pipe = this.#pipe;
    if (pipe !== null) {
      this.#host.detachPipe(pipe);
      if (!this.#stopped) await flushed([pipe], lingerMs, this.runtime.loop);
    }
    this.#on("close", undefined);
  }

  end(): void {
    this.#timer?.cancel();
    this.#abort?.abort(new Error("closed"));
    const pipe = this.#pipe;
    const session = this.#session;
    this.#session = null;
    // Here, because a raw session that is closed drops them itself.
    if (pipe !== null) this.#host.lost.unsent += pipe.discardOutbound();
    if (session !== null) {
      session.close();
      if (session.peer !== undefined && pipe !== null) this.#host.pipeDisconnected(pipe);
      this.#host.emitEvent("close", { address: this.endpoint, peer: session.peer });
    }
    this.#pipe = null;
  }

  get unsent(): number {
    return this.#pipe?.outboundLength ?? 0;
  }

  abandon(): void {
    this.#pipe?.onEmpty?.();
  }

  ref(): void {
    this.#timer?.ref();
    this.#session?.stream.ref();
  }

  unref(): void {
    this.#timer?.unref();
    this.#session?.stream.unref();
  }
}

/** D2: an ERROR command is an answer; asking again would bring the same one. */
function isAnswer(error: Error | undefined): boolean {
  return (
    error instanceof ProtocolError &&
    error.kind !== "other" &&
    (error.code === "peer-error" || error.code === "authentication-refused")
  );
}

/** D8: what would probably happen again is tried again slowly. So is a peer whose key is revoked. */
function isFault(error: Error | undefined): boolean {
  if (error instanceof TlsError) return error.code !== "ECONNRESET";
  return (
    error instanceof AssertionError ||
    error instanceof Dismissal ||
    (error instanceof ProtocolError && error.kind !== "other")
  );
}

function timeoutError(limit: number): Error {
  return Object.assign(new Error(`no connection within ${limit} ms (connectTimeout)`), { code: "ETIMEDOUT" });
}
