/**
 * What the two sides of a test say to each other, besides what is measured. It has two parts, the first of which is its name, so
 * that it is not taken for a message of a test, which has one.
 */
import { randomUUID } from "node:crypto";
import type { Processor, Side } from "./report.js";

export type Test = "throughput" | "latency";

/** The asking side wants a test. */
export interface Hello {
  readonly say: "hello";
  /** It may be said again on another connection. */
  readonly id: string;
  readonly test: Test;
  readonly size: number;
  readonly count: number;
  readonly warmup: number;
}

/** The serving side agrees. */
export interface Welcome {
  readonly say: "welcome";
  readonly id: string;
}

/** The serving side is done. */
export interface Result {
  readonly say: "result";
  readonly seconds: number;
  readonly side: Side;
}

/** The serving side will not, or cannot go on. */
export interface Sorry {
  readonly say: "sorry";
  readonly why: string;
}

export type Control = Hello | Welcome | Result | Sorry;

const NAME = "zwire-bench 1";
const LONGEST = 4096;
/** The largest test: more is a mistake. */
export const MOST = 1e12;
export const LARGEST = 2 ** 30;

export const newId = (): string => randomUUID();

export function encodeControl(control: Control): [string, string] {
  return [NAME, JSON.stringify(control)];
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
}

const isText = (value: unknown): value is string => typeof value === "string" && value.length <= 200;
const isTime = (value: unknown): value is number => typeof value === "number" && value >= 0;
/** What a terminal shows of a peer's text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach the terminal
const harmless = (text: string): string => text.replace(/[\x00-\x1f\x7f-\x9f]/g, "?");

function isSide(value: unknown): value is Side {
  const { program, processor } = (value ?? {}) as Partial<Side>;
  const { user, system } = (processor ?? {}) as Partial<Processor>;
  return isText(program) && isTime(user) && isTime(system);
}

function checked(given: unknown): Control | undefined {
  const value = (given ?? {}) as Record<string, unknown>;
  const { say, id, test, size, count, warmup, seconds, side, why } = value;
  if (say === "hello" && isText(id) && (test === "throughput" || test === "latency")) {
    if (isWhole(size, 0, LARGEST) && isWhole(count, 1, MOST) && isWhole(warmup, 1, MOST))
      return { say, id, test, size, count, warmup };
  }
  if (say === "welcome" && isText(id)) return { say, id };
  if (say === "sorry" && isText(why)) return { say, why: harmless(why) };
  if (say === "result" && isTime(seconds) && isSide(side))
    return { say, seconds, side: { ...side, program: harmless(side.program) } };
  return undefined;
}

/** What a message says; undefined if it is one of a test, or nothing that can be understood. */
export function decodeControl(message: readonly Buffer[]): Control | undefined {
  if (message.length !== 2 || message[0].toString("latin1") !== NAME || message[1].length > LONGEST)
    return undefined;
  try {
    return checked(JSON.parse(message[1].toString()));
  } catch {
    return undefined;
  }
}
