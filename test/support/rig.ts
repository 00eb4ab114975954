/**
 * The rig for attacks: a victim in a process of its own, a good peer in another, and the attack in the test. A quiet run
 * comes first, and the attack is measured against it: memory above idle, the longest stall of the victim's event loop,
 * and what the good peer waits (its 99th percentile). Add victims in children/rig-victims.mjs. Knows no sockets.
 */
import { expect } from "vitest";
import { type Child, startChild } from "./child.js";
import { rawConnected, until } from "./helpers.js";

const MIB = 1024 ** 2;
/** What an attack may cost in memory. */
const MEMORY_BYTES = 64 * MIB;
/** Stalls and waits may grow by this factor… */
const FACTOR = 5;
/** …of no less than this many milliseconds: a quiet run may take one. */
const STALL_FLOOR_MS = 20;
/** The good peer waits by the clock, and the machine is not ours alone: what its own timers are late by counts, too. */
const WAIT_FLOOR_MS = 40;
/** How long the quiet run takes, in milliseconds. */
const QUIET_MS = 300;

/** Whom to attack. */
export interface Victim {
  /** A name in children/rig-victims.mjs. */
  readonly kind: "pull" | "reply" | "router" | "publisher" | "xpublisher" | "rpc";
  /** Options of the victim, as JSON can tell them. */
  readonly options?: object;
  /** Options of the good peer. */
  readonly goodOptions?: object;
  /** Where the victim binds; tcp on a port of its own otherwise. */
  readonly endpoint?: string;
}

/** What one stretch of time has cost. */
export interface Figures {
  /** Most bytes above idle: the resident set's, and what JavaScript held or had reserved. */
  readonly above: { readonly rss: number; readonly held: number };
  /** The same when all is over and garbage is collected. */
  readonly kept: { readonly rss: number; readonly held: number };
  /** Longest stall of the victim's event loop in milliseconds: the lesser of clock and processor time. */
  readonly stallMs: number;
  /** 99th percentile of what the good peer waited. */
  readonly p99Ms: number;
  /** 99th percentile of what the good peer's own timers were late by: the machine's share in its waits. */
  readonly machineMs: number;
  /** How often the good peer was served. */
  readonly served: number;
  /** Connections that the good peer lost since it began. */
  readonly lost: number;
  /** The victim's `limit` events since it began, by option. */
  readonly limits: Readonly<Record<string, { count: number; action: string; value?: number }>>;
  /** Peers of each of the victim's sockets. */
  readonly peers: readonly number[];
  /** Processor time of the victim since it began. */
  readonly processorMs: number;
}

/** As the children tell it. */
type VictimReport = Pick<Figures, "above" | "kept" | "limits" | "peers" | "processorMs"> & {
  readonly stall: number;
  readonly lateness: number[];
};
interface GoodReport {
  readonly waits: number[];
  readonly naps: number[];
  readonly lost: number;
}

/** A victim with its good peer. */
export class Rig {
  readonly endpoint: string;
  readonly victim: Child;
  readonly #good: Child;
  #questions = 0;

  constructor(endpoint: string, victim: Child, good: Child) {
    this.endpoint = endpoint;
    this.victim = victim;
    this.#good = good;
  }

  /** What it costs the victim and its good peer. */
  async measure(run: () => Promise<unknown>): Promise<Figures> {
    // The victim collects its garbage first, which is no part of the attack and must not be waited for in it.
    await this.#ask(this.victim, "begin", "begun");
    await this.#ask(this.#good, "begin", "begun");
    await run();
    return this.report();
  }

  /** Tells a child something, and resolves with its answer. */
  async #ask<R>(child: Child, op: string, event: string): Promise<R> {
    const id = ++this.#questions;
    child.tell({ op, id });
    return (await child.line((line) => line.event === event && line.id === id, `${event} (${op})`)) as R;
  }

  /** Channels that the victim, an rpc server, has open. */
  async channels(): Promise<number> {
    return (await this.#ask<{ channels: number }>(this.victim, "channels", "channels")).channels;
  }

  /** What has come of it since measure() began. */
  async report(): Promise<Figures> {
    // The good peer first: the victim collects its garbage again.
    const good = await this.#ask<GoodReport>(this.#good, "report", "report");
    const victim = await this.#ask<VictimReport>(this.victim, "report", "report");
    const waits = good.waits.length > 0 ? good.waits : victim.lateness;
    return {
      above: victim.above,
      kept: victim.kept,
      stallMs: victim.stall,
      p99Ms: p99(waits),
      machineMs: p99(good.naps),
      served: waits.length,
      lost: good.lost,
      limits: victim.limits,
      peers: victim.peers,
      processorMs: victim.processorMs,
    };
  }

  /** Waits for what only a report tells. */
  async until(holds: (figures: Figures) => boolean, what: string): Promise<void> {
    await until(async () => holds(await this.report()), what);
  }
}

function p99(waits: number[]): number {
  if (waits.length === 0) return Number.POSITIVE_INFINITY;
  waits.sort((a, b) => a - b);
  return waits[Math.ceil(waits.length * 0.99) - 1];
}

/** Starts a victim and its good peer, which is served before this resolves. Both end with the test. */
export async function rig({ kind, options = {}, goodOptions = {}, endpoint = "" }: Victim): Promise<Rig> {
  const victim = startChild("rig-victim.mjs", [kind, JSON.stringify(options), endpoint], ["--expose-gc"]);
  const ready = await victim.line(({ event }) => event === "ready", "the victim is ready");
  const bound = ready.endpoint as string;
  const good = startChild("rig-good.mjs", [ready.good as string, bound, JSON.stringify(goodOptions)]);
  await good.line(({ event }) => event === "ready", "the good peer is served");
  return new Rig(bound, victim, good);
}

/** A quiet run, and the same under attack. */
export async function underAttack(
  victim: Victim,
  attack: (rig: Rig) => Promise<unknown>,
): Promise<{ quiet: Figures; attacked: Figures; rig: Rig }> {
  const made = await rig(victim);
  const quiet = await made.measure(() => new Promise((resolve) => setTimeout(resolve, QUIET_MS)));
  const attacked = await made.measure(() => attack(made));
  if (process.env.ZWIRE_RIG !== undefined)
    console.log(describeFigures("quiet", quiet), describeFigures("attacked", attacked));
  return { quiet, attacked, rig: made };
}

/** The attack has harmed nobody: memory, stalls, the good peer's waits, and its connection. */
export function expectUnharmed(quiet: Figures, attacked: Figures, memory = MEMORY_BYTES): void {
  const said = describeFigures("attacked", attacked);
  expect(attacked.above.held, said).toBeLessThan(memory);
  expect(attacked.above.rss, said).toBeLessThan(memory);
  expect(attacked.stallMs, said).toBeLessThan(FACTOR * Math.max(STALL_FLOOR_MS, quiet.stallMs));
  const usual = Math.max(WAIT_FLOOR_MS, quiet.p99Ms, attacked.machineMs);
  expect(attacked.p99Ms, said).toBeLessThan(FACTOR * usual);
  expect(attacked.lost, said).toBe(0);
}

/** The figures in a line. */
export function describeFigures(
  name: string,
  { above, kept, stallMs, p99Ms, machineMs, served, limits, peers }: Figures,
): string {
  const mib = (octets: number): string => (octets / MIB).toFixed(1);
  return [
    `${name}: resident ${mib(above.rss)} MiB above idle (kept ${mib(kept.rss)}), held ${mib(above.held)} (kept ${mib(kept.held)})`,
    `stall ${stallMs.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms of ${served} (timers ${machineMs.toFixed(1)} late)`,
    `peers ${peers}, limits ${JSON.stringify(limits)}`,
  ].join("; ");
}

/** More than one turn ever took. */
export const FLOOD_BYTES = 1.5 * MIB;

/** Sends so many bytes of repetitions of some, and resolves when all of them have been handled. */
export async function flood({ endpoint }: Rig, type: string, repeated: Buffer, bytes: number): Promise<void> {
  const peer = await rawConnected(endpoint, { type });
  const closed = new Promise((resolve) => peer.socket.once("close", resolve));
  peer.socket.end(Buffer.alloc(bytes - (bytes % repeated.length), repeated));
  await closed;
}
