/**
 * What the two ends of an inproc connection know of each other, and what both are made of. Who is joined to whom is
 * decided in registry.ts.
 */
import { memoryGone } from "../base/errors.js";
import type { Peer } from "../base/events.js";
import type { SocketHost } from "../session/host.js";
import type { Stream } from "../transport/contract/transport.js";
import { type Defer, DirectPipe } from "./direct-pipe.js";

/** A bound name, as the registry and connectors see it. */
export interface BoundEnd {
  readonly endpoint: string;
  /** Whether the name is ours in all threads. */
  readonly open: boolean;
  /** The name is ours from now on. */
  opened(): void;
  /** A connector of this thread wants to be joined. */
  join(connector: ConnectingEnd): void;
  /** A connector of another thread has come, with a stream. */
  accept(stream: Stream): void;
  /** Lets go of a connector; `pipe` is our end. */
  part(pipe: DirectPipe): void;
}

/** A connected name, as the registry and the binder see it. */
export interface ConnectingEnd {
  readonly endpoint: string;
  readonly host: SocketHost;
  /** Its end, which queues until it is joined. */
  readonly pipe: DirectPipe;
  /** Whether a connection to another thread is being made. */
  readonly dialling: boolean;
  nextPeerId(): number;
  /** Why it does not want the binder as its peer, or null. */
  refusalOf(binder: Peer): Error | null;
  /** The pipes are about to be joined. */
  joined(binder: BoundEnd, far: DirectPipe): void;
  /** They are joined, and the binder's socket knows. */
  linked(binder: Peer): void;
  /** The binder and this one do not fit. */
  refused(): void;
  /** The pipes have been parted. */
  parted(): void;
  /** Connect once more, by a new pipe. */
  renew(): void;
  /** A thread has the name bound: here is a stream to it. */
  reached(stream: Stream): void;
}

/** Calls in one turn after which the next waits for a turn of the event loop, so that two sockets cannot starve it. */
const DEFERS_PER_TURN = 512;
let deferred = 0;

/** Soon, but not inside the current call; once in 512 after a turn of the event loop. */
const deferSoon: Defer = (run) => {
  if (++deferred % DEFERS_PER_TURN === 0) setImmediate(run);
  else process.nextTick(run);
};

/** One end of a joined pair, or a connector's queue until it is joined. */
export function newDirectPipe(host: SocketHost, onFail: () => void): DirectPipe {
  const onSpoiled = ({ peer }: DirectPipe): void =>
    host.emitEvent("limit", {
      address: peer?.address ?? "",
      endpoint: peer?.endpoint ?? "",
      peer,
      limit: "buffer",
      action: "dropped",
      error: memoryGone(),
    });
  return new DirectPipe(host, host.options, host.runtime.turnEnd, deferSoon, onFail, onSpoiled);
}

/** How a socket of this thread looks to the other end. */
export function peerOf(host: SocketHost, id: number, address: string): Peer {
  const routingId = host.options.routingId ?? Buffer.alloc(0);
  const { socketType } = host;
  return { id, address, endpoint: address, socketType, routingId, metadata: host.options.metadata };
}
