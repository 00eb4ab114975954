/**
 * One bound endpoint: accepts connections and gives each to a session. When an accepted peer leaves, its pipe ends and
 * unsent messages in it are dropped (G4).
 */

import { assert } from "../base/assert.js";
import type { Peer } from "../base/events.js";
import type { Runtime } from "../base/runtime.js";
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
import type { Acceptor, AcceptorHandler, Stream, Transport } from "../transport/contract/transport.js";
import type { Excess, Gate, Place } from "./gate.js";
import { flushed } from "./linger.js";
import { linkOf } from "./link.js";
import { reportEnd, tellTls } from "./report.js";

export class Listener implements SessionOwner, EndpointHandle, AcceptorHandler {
  /** The actual endpoint; set by open(). */
  endpoint = "";
  readonly socketType: string;
  readonly #host: SocketHost;
  readonly #options: OptionValues;
  readonly #sessions = new Map<Connection, StreamPipe | null>();
  readonly #gate: Gate | null;
  readonly #places = new Map<Connection, Place>();
  #acceptor: Acceptor | null = null;
  /** Set when it listens no more: settles when the address is free. */
  #released: Promise<Error | undefined> | null = null;
  #closing = false;

  /** @param gate decides which connections to accept, shared by all listeners of the socket; null accepts all */
  constructor(host: SocketHost, gate: Gate | null = null) {
    this.#host = host;
    this.#gate = gate;
    this.socketType = host.socketType;
    this.#options = optionsNow(host.options);
  }

  /** Starts listening; rejects if the address is not available. */
  async open(transport: Transport, address: string): Promise<void> {
    this.#acceptor = await transport.listen(address, this.#options, this, this.#host.asLibzmq);
    this.endpoint = this.#acceptor.address;
    if (!this.#host.refed) this.#acceptor.unref();
  }

  /** As open(), but synchronous. */
  openSync(transport: Transport, address: string): void {
    this.#acceptor = transport.listenSync(address, this.#options, this);
    this.endpoint = this.#acceptor.address;
    if (!this.#host.refed) this.#acceptor.unref();
  }

  // From the acceptor

  onStream(stream: Stream): void {
    if (this.#released !== null) {
      stream.close();
      return;
    }
    const place = this.#gate?.enter(stream.remoteAddress);
    if (place !== undefined && "limit" in place) {
      const { remoteAddress } = stream;
      stream.close();
      this.#tell(place, "refused", remoteAddress);
      return;
    }
    if (!this.#host.refed) stream.unref();
    // An ipc peer has no address: use the endpoint instead.
    this.#host.emitEvent("accept", {
      address: stream.remoteAddress || this.endpoint,
      endpoint: this.endpoint,
    });
    const session = openConnection(this.#host.raw, this, stream, this.#options);
    this.#sessions.set(session, null);
    if (place !== undefined) {
      this.#places.set(session, place);
      place.evict = (excess) => {
        session.close();
        this.#drop(session);
        this.#tell(excess, "closed", stream.remoteAddress);
      };
    }
    session.start();
  }

  #tell(excess: Excess, action: "refused" | "closed", remote: string): void {
    if (this.#gate?.tells(excess) !== true) return;
    this.#host.emitEvent("limit", {
      address: remote || this.endpoint,
      endpoint: this.endpoint,
      ...excess,
      action,
    });
  }

  onError(error: NodeJS.ErrnoException): void {
    const place = { address: this.endpoint, endpoint: this.endpoint };
    if (!tellTls(this.#host, place, error))
      this.#host.emitEvent("accept:error", { address: this.endpoint, error });
  }

  // From sessions

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
    return this.#host.refusalOf(peer, null, null);
  }

  sessionReady(session: Connection, peer: Peer): StreamPipe {
    assert(this.#sessions.get(session) === null, "a listener was told twice that a connection is ready");
    const { options, runtime } = this.#host;
    const pipe = new StreamPipe(this.#host, options, runtime.turnEnd, this.#options.conflate);
    pipe.peer = peer;
    this.#sessions.set(session, pipe);
    const place = this.#places.get(session);
    if (place !== undefined) this.#gate?.ready(place);
    this.#host.attachPipe(pipe);
    return pipe;
  }

  sessionLinked(pipe: StreamPipe, peer: Peer): void {
    this.#host.pipeConnected(pipe, peer);
    if (pipe.linked) tellMade(this.#host, pipe, this.#options);
  }

  sessionEnded(session: Connection, { wasReady, error }: SessionEnd): void {
    const pipe = this.#sessions.get(session);
    if (pipe && !this.#closing) tellLost(this.#host, pipe, this.#options, false);
    this.#host.lost.unsent += this.#drop(session);
    const place = { address: session.stream.remoteAddress || this.endpoint, endpoint: this.endpoint };
    reportEnd(this.#host, session, place, wasReady, error);
    if (!this.#closing) this.#host.lost.tell({ ...place, peer: session.peer });
  }

  #forget(session: Connection): void {
    this.#sessions.delete(session);
    const place = this.#places.get(session);
    if (place !== undefined && this.#places.delete(session)) this.#gate?.leave(place);
  }

  /** @returns how many messages were dropped that the peer did not get */
  #drop(session: Connection): number {
    const pipe = this.#sessions.get(session);
    this.#forget(session);
    if (!pipe) return 0;
    this.#host.pipeDisconnected(pipe);
    const dropped = pipe.discardOutbound();
    this.#host.detachPipe(pipe);
    pipe.onEmpty?.();
    return dropped;
  }

  // From the socket

  drain(): void {
    this.#release();
    for (const [session, pipe] of this.#sessions) {
      if (pipe !== null) continue;
      session.close();
      this.#forget(session);
    }
  }

  get links(): Link[] {
    const links: Link[] = [];
    for (const [session, pipe] of this.#sessions) {
      if (pipe !== null) links.push(linkOf(this.#host, session, pipe, !this.endpoint.startsWith("inproc:")));
    }
    return links;
  }

  /** Listens no more. @returns why it failed */
  #release(): Promise<Error | undefined> {
    // Its rejection is handled at once: it may fail long before the queues are flushed.
    this.#released ??= (this.#acceptor?.close() ?? Promise.resolve()).then(
      () => undefined,
      (error: Error) => error,
    );
    this.#acceptor = null;
    return this.#released;
  }

  /** Closes the connection of one pipe. The peer may connect again. */
  reset(pipe: Pipe): boolean {
    for (const [session, owned] of this.#sessions) {
      if (owned !== pipe) continue;
      session.close();
      this.sessionEnded(session, { wasReady: true, error: undefined });
      return true;
    }
    return false;
  }

  /** S12: closes the listener and every connection that it accepted. */
  async close(lingerMs: number): Promise<void> {
    this.#closing = true;
    const released = this.#release();
    const pipes: StreamPipe[] = [];
    for (const [session, pipe] of this.#sessions) {
      if (pipe === null) {
        session.close();
        this.#forget(session);
      } else {
        this.#host.detachPipe(pipe);
        pipes.push(pipe);
      }
    }
    await flushed(pipes, lingerMs, this.runtime.loop);
    // Here, because a raw session that is closed drops them itself.
    for (const pipe of pipes) this.#host.lost.unsent += pipe.discardOutbound();
    for (const session of [...this.#sessions.keys()]) {
      session.close();
      this.#drop(session);
    }
    const error = await released;
    if (error === undefined) this.#host.emitEvent("close", { address: this.endpoint });
    else this.#host.emitEvent("close:error", { address: this.endpoint, error });
  }

  get unsent(): number {
    let count = 0;
    for (const pipe of this.#sessions.values()) count += pipe?.outboundLength ?? 0;
    return count;
  }

  abandon(): void {
    for (const pipe of [...this.#sessions.values()]) pipe?.onEmpty?.();
  }

  ref(): void {
    this.#acceptor?.ref();
    for (const session of this.#sessions.keys()) session.stream.ref();
  }

  unref(): void {
    this.#acceptor?.unref();
    for (const session of this.#sessions.keys()) session.stream.unref();
  }
}
