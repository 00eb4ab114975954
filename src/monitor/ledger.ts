/**
 * The counters of sockets, added up by type and endpoint, for a page of metrics. A counter of Prometheus may not fall, so
 * what a closed socket has counted stays in the sum. Bounded: a program may open any number of sockets on any number of
 * endpoints, and only the first LINES of them have a line of their own.
 */
import type { EventType, SocketEvents } from "../base/events.js";
import { type Listed, listedSockets, type Watcher, watch } from "../core/roster.js";
import type { SocketStats } from "../core/stats.js";

/** The counters of sockets. */
export interface Counters {
  readonly sent: number;
  readonly received: number;
  readonly dropped: number;
  readonly droppedUnread: number;
  readonly droppedUnsent: number;
  readonly conflated: number;
  readonly lastValuesEvicted: number;
  readonly events: Readonly<Record<string, number>>;
}

/** What sockets of one type and endpoint have. */
export interface Line {
  readonly type: string;
  /** The first endpoint that the socket was bound or connected to. */
  readonly endpoint: string;
  /** Of those that are gone. */
  gone: Counters;
}

/** Most pairs of type and endpoint that have a line of their own. */
const LINES = 200;
/** The endpoint of all others. */
const OTHERS = "other";

const NONE: Counters = {
  sent: 0,
  received: 0,
  dropped: 0,
  droppedUnread: 0,
  droppedUnsent: 0,
  conflated: 0,
  lastValuesEvicted: 0,
  events: {},
};

/** Adds counters. */
export function sum(a: Counters, b: Counters): Counters {
  const events: Record<string, number> = { ...a.events };
  for (const [name, count] of Object.entries(b.events)) events[name] = (events[name] ?? 0) + count;
  return {
    sent: a.sent + b.sent,
    received: a.received + b.received,
    dropped: a.dropped + b.dropped,
    droppedUnread: a.droppedUnread + b.droppedUnread,
    droppedUnsent: a.droppedUnsent + b.droppedUnsent,
    conflated: a.conflated + b.conflated,
    lastValuesEvicted: a.lastValuesEvicted + b.lastValuesEvicted,
    events,
  };
}

function countersOf(listed: Listed, stats: SocketStats): Counters {
  return {
    sent: stats.messagesSent,
    received: stats.messagesReceived,
    dropped: stats.dropped,
    droppedUnread: stats.droppedUnread,
    droppedUnsent: stats.droppedUnsent,
    conflated: stats.conflated,
    lastValuesEvicted: stats.lastValuesEvicted,
    events: { ...listed.events } as Record<string, number>,
  };
}

/** A socket and its figures now. */
export interface Read {
  readonly line: Line;
  readonly stats: SocketStats;
  readonly counters: Counters;
}

interface Member {
  readonly line: Line;
  /** As they were when they were last read. */
  counters: Counters;
}

/** The sums of all sockets, from its first reading on. */
export class Ledger implements Watcher {
  readonly #lines = new Map<string, Line>();
  readonly #members = new Map<Listed, Member>();

  constructor() {
    watch(this);
  }

  get lines(): Iterable<Line> {
    return this.#lines.values();
  }

  told<E extends EventType>(listed: Listed, type: E, payload: SocketEvents[E]): void {
    if (type !== "end") {
      // A socket may come and go between two readings.
      if (!this.#members.has(listed)) this.#join(listed, payload.endpoint ?? payload.address);
      return;
    }
    const member = this.#members.get(listed);
    if (member === undefined) return;
    const { core } = listed;
    if (core !== undefined) member.counters = countersOf(listed, core.stats);
    this.#leave(listed, member);
  }

  #leave(listed: Listed, { line, counters }: Member): void {
    this.#members.delete(listed);
    line.gone = sum(line.gone, counters);
  }

  #join(listed: Listed, endpoint: string): Member | undefined {
    if (endpoint === "") return undefined;
    const member = { line: this.#lineOf(listed.type, endpoint), counters: NONE };
    this.#members.set(listed, member);
    return member;
  }

  #lineOf(type: string, endpoint: string): Line {
    const key = `${type} ${endpoint}`;
    let line = this.#lines.get(key);
    if (line !== undefined) return line;
    if (this.#lines.size >= LINES && endpoint !== OTHERS) return this.#lineOf(type, OTHERS);
    line = { type, endpoint, gone: NONE };
    this.#lines.set(key, line);
    return line;
  }

  /** The figures of open sockets that have been bound or connected. */
  read(): Map<Listed, Read> {
    const found = new Map<Listed, Read>();
    for (const listed of listedSockets()) {
      const { core } = listed;
      if (core === undefined) continue;
      const { bound, connected } = core.names;
      const member = this.#members.get(listed) ?? this.#join(listed, bound[0] ?? connected[0] ?? "");
      if (member === undefined) continue;
      const { stats } = core;
      member.counters = countersOf(listed, stats);
      found.set(listed, { line: member.line, stats, counters: member.counters });
    }
    // Those that the program has forgotten without closing them.
    for (const [listed, member] of this.#members) if (listed.core === undefined) this.#leave(listed, member);
    return found;
  }
}
