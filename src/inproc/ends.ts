/**
 * The interfaces through which the two ends of an inproc connection see each other, and the pipe that both use.
 * registry.ts decides which ends are joined.
 */

import { memoryGone } from "../base/errors.js";
import type { Peer } from "../base/events.js";
import { Buffer, nextTick, setImmediate } from "../base/platform.js";
import type { Link, SocketHost } from "../session/host.js";
import type { Stream } from "../transport/contract/transport.js";
import { type Defer, DirectPipe } from "./direct-pipe.js";

/** A bound name, as the registry and connectors see it. */
export interface BoundEnd {
  readonly endpoint: string;
  /** Whether the name is bound: no other thread has it. */
  readonly open: boolean;
  /** The name is bound from now on. */
  opened(): void;
  /** Joins a connector of this thread. */
  join(connector: ConnectingEnd): void;
  /** Accepts a stream from a connector of another thread. */
  accept(stream: Stream): void;
  /** Ends the connection whose pipe on our side is `pipe`. */
  part(pipe: DirectPipe): void;
}

/** A connected name, as the registry and the binder see it. */
export interface ConnectingEnd {
  readonly endpoint: string;
  readonly host: SocketHost;
  /** Its pipe, which queues messages until it is joined. */
  readonly pipe: DirectPipe;
  /** Whether a connection to another thread is being made. */
  readonly dialling: boolean;
  nextPeerId(): number;
  /** Why it refuses the binder as its peer, or null. */
  refusalOf(binder: Peer): Error | null;
  /** The pipes are about to be joined. */
  joined(binder: BoundEnd, far: DirectPipe): void;
  /** The pipes are joined, and the binder's socket has been told. */
  linked(binder: Peer): void;
  /** Binder and connector are incompatible. */
  refused(): void;
  /** The pipes have been separated. */
  parted(): void;
  /** Connects again, with a new pipe. */
  renew(): void;
  /** Another thread has bound the name; `stream` leads to it. */
  reached(stream: Stream): void;
}

/**
 * After this many deferred calls, one waits for the next turn of the event loop, so that two sockets cannot starve it.
 */
const DEFERS_PER_TURN = 512;
let deferred = 0;

/** Runs after the current call; every 512th time in the next turn of the event loop. */
const deferSoon: Defer = (run) => {
  if (++deferred % DEFERS_PER_TURN === 0) setImmediate(run);
  else nextTick(run);
};

/**
 * Makes one end of a connection. Until it is joined, it queues messages.
 * @param conflate the option as it was when the endpoint was bound or connected
 */
export function newDirectPipe(
  host: SocketHost,
  conflate: boolean | "topic",
  onFail: (error: Error) => void,
): DirectPipe {
  const onSpoiled = ({ peer }: DirectPipe): void =>
    host.emitEvent("limit", {
      address: peer?.address ?? "",
      endpoint: peer?.endpoint ?? "",
      peer,
      limit: "buffer",
      action: "dropped",
      error: memoryGone(),
    });
  return new DirectPipe(host, host.options, host.runtime.turnEnd, conflate, deferSoon, onFail, onSpoiled);
}

/** A connection within the thread, for a drain: what the peer has sent is here already, and what it has not sent it keeps. */
export function joinedLink(pipe: DirectPipe, part: () => void): Link {
  const end = (): boolean => {
    part();
    return true;
  };
  return { pipe, received: pipe.tally?.messages ?? 0, partial: false, peerKeeps: true, end };
}

/** The peer that the other end sees for a socket of this thread. */
export function peerOf(host: SocketHost, id: number, address: string): Peer {
  const routingId = host.options.routingId ?? Buffer.alloc(0);
  const { socketType } = host;
  return { id, address, endpoint: address, socketType, routingId, metadata: host.options.metadata };
}
