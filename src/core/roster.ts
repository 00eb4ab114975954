/**
 * The open sockets of this thread, for those who look in from outside: diagnostics channels, metrics, monitors. A socket is
 * listed from its creation until it is closed, or collected as garbage. What a monitor opens for itself is not listed.
 */
import type { EventType, Peer, SocketEvents } from "../base/events.js";
import { EVENT_TYPES } from "../base/events.js";
import { type Buffer, channel } from "../base/platform.js";
import type { Runtime } from "../base/runtime.js";
import type { Pipe } from "../engine/pipe.js";
import type { Witness } from "./events.js";
import type { SocketStats } from "./stats.js";

/** What can be seen of a socket. */
export interface Seen {
  readonly socketType: string;
  readonly runtime: Runtime;
  readonly stats: SocketStats;
  readonly names: { readonly bound: readonly string[]; readonly connected: readonly string[] };
  readonly peers: ReadonlyMap<Pipe, Peer>;
  readonly strategy: { nameOf(pipe: Pipe): Buffer | number | null };
  readonly sender: { readonly queue: { owner: object | null } } | null;
  readonly receives: { owner: object | null } | null;
}

/** Is told what happens to the sockets that are listed. */
export interface Watcher {
  told<E extends EventType>(listed: Listed, type: E, payload: SocketEvents[E]): void;
}

const OPEN = channel("zwire:socket:open");
const CLOSE = channel("zwire:socket:close");
/** Events about a socket and not about one of its connections. */
const OF_SOCKETS: readonly EventType[] = ["bind", "bind:error", "limit"];
const CHANNELS = Object.fromEntries(
  EVENT_TYPES.map((type) => [
    type,
    channel(`zwire:${OF_SOCKETS.includes(type) ? "socket" : "connection"}:${type}`),
  ]),
);

const open = new Map<number, Listed>();
const forgotten = new FinalizationRegistry<number>((id) => open.delete(id));
const watchers = new Set<Watcher>();
let last = 0;
let hiding = false;

/** A socket on the list. */
export class Listed implements Witness {
  /** Unique in this thread, never reused. */
  readonly id = ++last;
  readonly type: string;
  /** How often each event was told. */
  readonly events: Partial<Record<EventType, number>> = {};
  /** Weak: the list must not keep a socket that the program has forgotten. */
  readonly #core: WeakRef<Seen>;
  #announced = false;

  constructor(core: Seen) {
    this.type = core.socketType;
    this.#core = new WeakRef(core);
  }

  /** The socket; undefined once it is gone. */
  get core(): Seen | undefined {
    return this.#core.deref();
  }

  /** The constructor of its class has ended, or something happens to it already. */
  announce(socket: object): void {
    if (this.#announced) return;
    this.#announced = true;
    if (OPEN.hasSubscribers) OPEN.publish({ socket, id: this.id, type: this.type });
  }

  told<E extends EventType>(socket: object, type: E, payload: SocketEvents[E]): void {
    this.announce(socket);
    this.events[type] = (this.events[type] ?? 0) + 1;
    if (type === "end") this.#end(socket);
    else if (CHANNELS[type].hasSubscribers) {
      CHANNELS[type].publish({
        socket,
        id: this.id,
        event: { type, endpoint: payload.address, ...payload },
      });
    }
    for (const watcher of watchers) watcher.told(this, type, payload);
  }

  #end(socket: object): void {
    open.delete(this.id);
    if (CLOSE.hasSubscribers) CLOSE.publish({ socket, id: this.id, type: this.type });
  }
}

/** Whether new sockets are put on the list now. */
export function listing(): boolean {
  return !hiding;
}

/** Puts a socket on the list. */
export function list(core: Seen): Listed {
  const listed = new Listed(core);
  open.set(listed.id, listed);
  forgotten.register(core, listed.id);
  return listed;
}

/** Whether anybody is told of new sockets. */
export function isOpeningWatched(): boolean {
  return OPEN.hasSubscribers;
}

/** Makes sockets that are not listed, and of which no channel tells. */
export function unlisted<T>(make: () => T): T {
  hiding = true;
  try {
    return make();
  } finally {
    hiding = false;
  }
}

/** The sockets that are open, oldest first. */
export function listedSockets(): Iterable<Listed> {
  return open.values();
}

/** Tells a watcher of all events of all listed sockets from now on. */
export function watch(watcher: Watcher): void {
  watchers.add(watcher);
}

/** Undoes `watch`. */
export function unwatch(watcher: Watcher): void {
  watchers.delete(watcher);
}
