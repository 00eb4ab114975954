/** What a test has shown, as text and as JSON. */
import { createHistogram } from "node:perf_hooks";
import { engine, version } from "../../index.js";

/** Seconds of processor time. */
export interface Processor {
  readonly user: number;
  readonly system: number;
}

/** One of the two sides. */
export interface Side {
  /** Such as "zwire 1.0.0, native engine, Node.js 22.1.0 on linux x64". */
  readonly program: string;
  readonly processor: Processor;
}

/** Times of round trips, in microseconds. */
export interface Times {
  readonly minimum: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly maximum: number;
}

export interface Report {
  readonly test: "throughput" | "latency";
  /** Whose time it is: "sender" until the system had taken all, "asker" and "echo" of a latency test. */
  readonly measured: "receiver" | "sender" | "asker" | "echo";
  readonly endpoint: string;
  readonly size: number;
  readonly count: number;
  readonly seconds: number;
  /** In one direction; round trips of a latency test. */
  readonly messagesPerSecond: number;
  /** Millions of bytes in one direction. */
  readonly megabytesPerSecond: number;
  readonly roundTrip?: Times;
  readonly here: Side;
  /** Unknown of a tool of libzmq. */
  readonly there?: Side;
}

const program = `zwire ${version}, ${engine()} engine, Node.js ${process.versions.node} on ${process.platform} ${process.arch}`;

const US_PER_S = 1e6;
const round = (value: number, digits: number): number => Number(value.toFixed(digits));

/** A stretch of time, and what this process did in it. */
export class Stretch {
  readonly #began = performance.now();
  readonly #processor = process.cpuUsage();
  #seconds = 0;

  /** Ends the stretch. */
  end(): this {
    this.#seconds = (performance.now() - this.#began) / 1000;
    return this;
  }

  get seconds(): number {
    return this.#seconds;
  }

  /** This process, from the beginning to now. */
  side(): Side {
    const { user, system } = process.cpuUsage(this.#processor);
    return { program, processor: { user: round(user / US_PER_S, 4), system: round(system / US_PER_S, 4) } };
  }
}

/** Rates of so many messages. */
export function rates(count: number, size: number, seconds: number) {
  const messagesPerSecond = seconds > 0 ? count / seconds : 0;
  return {
    seconds: round(seconds, 6),
    messagesPerSecond: Math.round(messagesPerSecond),
    megabytesPerSecond: round((messagesPerSecond * size) / 1e6, 3),
  };
}

/** Collects times in constant memory. */
export class Clock {
  readonly #histogram = createHistogram({ figures: 4 });

  /** @param ms milliseconds */
  record(ms: number): void {
    this.#histogram.record(Math.max(1, Math.round(ms * 1e6)));
  }

  get times(): Times {
    const h = this.#histogram;
    const us = (ns: number): number => round(ns / 1000, 1);
    const at = (percent: number): number => us(h.percentile(percent));
    return {
      minimum: us(h.min),
      mean: us(h.mean),
      p50: at(50),
      p90: at(90),
      p99: at(99),
      p999: at(99.9),
      maximum: us(h.max),
    };
  }
}

const grouped = (value: number): string => value.toLocaleString("en-US");

function processorText({ user, system }: Processor): string {
  return `${(user + system).toFixed(2)} s (user ${user.toFixed(2)}, system ${system.toFixed(2)})`;
}

/** The lines of a report. */
export function describe(report: Report): string {
  const { test, measured, endpoint, size, count, seconds, roundTrip, here, there } = report;
  const rows: string[][] = [];
  if (roundTrip === undefined) {
    const { messagesPerSecond, megabytesPerSecond } = report;
    rows.push([measured, `${grouped(messagesPerSecond)} messages/s, ${grouped(megabytesPerSecond)} MB/s`]);
  } else {
    const { minimum, p50, p90, p99, p999, maximum, mean } = roundTrip;
    rows.push(
      ["round trip", `${p50} µs median, ${mean} µs mean`],
      ["percentiles", `90 %: ${p90} µs, 99 %: ${p99} µs, 99.9 %: ${p999} µs`],
      ["from, to", `${minimum} µs, ${maximum} µs`],
    );
  }
  rows.push(["took", `${seconds.toFixed(3)} s`], ["processor here", processorText(here.processor)]);
  if (there !== undefined)
    rows.push(["processor there", processorText(there.processor)], ["there", there.program]);
  const what = test === "latency" ? "round trips" : "messages";
  return `${test}: ${grouped(count)} ${what} of ${grouped(size)} bytes, ${endpoint}\n${rows
    .map(([left, right]) => `  ${left.padEnd(15)}  ${right}\n`)
    .join("")}`;
}
