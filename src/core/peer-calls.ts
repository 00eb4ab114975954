/** Ends connections: that of one peer, which it finds, and those of peers whose key is not good any more. */
import { Dismissal } from "../base/dismissal.js";
import { ZmqError } from "../base/errors.js";
import type { Peer } from "../base/events.js";
import { Buffer } from "../base/platform.js";
import type { Runtime } from "../base/runtime.js";
import { flushed } from "../connect/linger.js";
import { Pipe } from "../engine/pipe.js";
import { discard, type Strategy } from "../patterns/strategy.js";
import type { EndpointHandle } from "../session/host.js";
import type { Endpoints } from "./endpoints.js";

/** A peer: its id, an object that has it (a Peer of an event, of `peers` or of `peerStats`), or its name. */
export type PeerReference = number | string | Uint8Array | { readonly id: number };

/** The socket whose peers they are. */
interface Caller {
  readonly raw: boolean;
  readonly runtime: Runtime;
  readonly peers: ReadonlyMap<Pipe, Peer>;
  readonly strategy: Pick<Strategy, "names" | "named">;
  /** The queue of waiting sends; null for a socket that only receives. */
  readonly sender: { readonly queue: { release(): void } } | null;
  readonly lost: { unsent: number };
  detachPipe(pipe: Pipe): void;
  passesKey(publicKey: Uint8Array): boolean;
}

export class PeerCalls {
  readonly #core: Caller;
  readonly #endpoints: Endpoints;
  /** Ends those that linger at once. */
  readonly #lingering = new Map<Pipe, () => void>();

  constructor(core: Caller, endpoints: Endpoints) {
    this.#core = core;
    this.#endpoints = endpoints;
  }

  /**
   * Ends a connection for good.
   * @param lingerMs how long to wait for what is unsent; -1 for ever
   * @returns false if there is no such peer
   * @throws TypeError for what is no reference to a peer; ZmqError ENOTSUP if there are only datagrams
   */
  disconnect(peer: PeerReference, lingerMs: number): boolean {
    const found = this.#find(peer);
    if (found instanceof Pipe) this.#disconnect(found, lingerMs);
    else if (found !== undefined) this.#giveUp(found);
    else if (this.#endpoints.datagramsOnly) {
      const detail = "udp has no connections that could be ended: disconnect() or unbind() its endpoint";
      throw new ZmqError("ENOTSUP", { detail });
    }
    return found !== undefined;
  }

  /** Ends the connections whose key does not pass any more. @returns how many */
  recheckKeys(): number {
    let ended = 0;
    for (const [pipe, { publicKey }] of [...this.#core.peers]) {
      // A listener of the events may have ended it, too.
      if (publicKey === undefined || !pipe.linked || this.#core.passesKey(publicKey)) continue;
      ended++;
      pipe.fail(new Dismissal("revokeKey"));
    }
    return ended;
  }

  /** A dialled endpoint has no pipe between its connections, if it is `immediate`. */
  #find(peer: PeerReference): Pipe | EndpointHandle | undefined {
    const { strategy } = this.#core;
    const { names } = strategy;
    if (names === "numbers" && typeof peer === "number") return strategy.named(peer);
    if (names === "bytes" && (typeof peer === "string" || peer instanceof Uint8Array))
      return strategy.named(Buffer.from(peer as string));
    const id = typeof peer === "object" ? (peer as { id?: unknown } | null)?.id : peer;
    if (typeof id === "number") return this.#ofId(id);
    const name = names === "bytes" ? ", or a name" : "";
    throw new TypeError(
      `peer must be an id, or an object with one${name}; got ${peer === null ? "null" : typeof peer}`,
    );
  }

  #ofId(id: number): Pipe | EndpointHandle | undefined {
    for (const [pipe, peer] of this.#core.peers) if (peer.id === id) return pipe;
    // Its connection is lost, and it is dialled again: that is ended, too.
    const handle = this.#endpoints.dialling(id);
    return handle?.pipe ?? handle;
  }

  #giveUp(handle: EndpointHandle): void {
    this.#endpoints.takeConnected((one) => one === handle);
    handle.retire?.();
    void this.#endpoints.release(handle, 0);
  }

  #disconnect(pipe: Pipe, lingerMs: number): void {
    const ends = this.#lingering.get(pipe);
    if (ends !== undefined) {
      if (lingerMs === 0) ends();
      return;
    }
    const dialled = this.#endpoints.takeConnected((one) => one.pipe === pipe);
    (dialled ?? this.#endpoints.leavingOf(pipe))?.retire?.();
    this.#core.sender?.queue.release(); // sends that wait only for the event loop to catch up
    pipe.gathering?.settle();
    this.#core.detachPipe(pipe); // a send that waits for this peer takes another one, or fails
    pipe.endOfTurn(); // what the system takes at once still goes out
    if (lingerMs !== 0 && pipe.linked && pipe.outboundLength > 0) this.#linger(pipe, dialled, lingerMs);
    else this.#end(pipe, dialled);
  }

  /** What still arrives meanwhile is not read: the program has done with this peer. */
  #linger(pipe: Pipe, dialled: EndpointHandle | undefined, lingerMs: number): void {
    const { intercept, filter } = pipe;
    pipe.intercept = discard;
    pipe.filter = () => false;
    const end = (): void => {
      if (!this.#lingering.delete(pipe)) return;
      pipe.intercept = intercept;
      pipe.filter = filter;
      this.#end(pipe, dialled);
    };
    this.#lingering.set(pipe, end);
    const left = flushed([pipe], lingerMs, this.#core.runtime.loop).then(end);
    const lingers = {
      get unsent(): number {
        return pipe.outboundLength;
      },
      abandon: () => pipe.onEmpty?.(),
    };
    this.#endpoints.linger(lingers, left);
  }

  #end(pipe: Pipe, dialled: EndpointHandle | undefined): void {
    const { lost, raw } = this.#core;
    if (!pipe.linked) lost.unsent += pipe.discardOutbound();
    else {
      if (raw) lost.unsent += pipe.outboundLength;
      pipe.fail(new Dismissal("disconnectPeer"));
    }
    if (dialled !== undefined) void this.#endpoints.release(dialled, 0);
  }
}
