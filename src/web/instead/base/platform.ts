/**
 * What base/platform.ts is in Node, for pages, workers, Deno and Bun: the same exports from what every browser has.
 */
import { Bytes } from "../../bytes.js";
import { EventEmitter } from "../../emitter.js";

export { Bytes as Buffer, EventEmitter };

/** An error with the name of an error number as its `code`. */
export interface SystemError extends Error {
  code?: string;
}

/** Numbers of errors are those of an operating system. */
export const errnoNumbers: Readonly<Record<string, number>> = {};

/** How objects are shown is up to the browser. */
export const inspect = { custom: Symbol.for("nodejs.util.inspect.custom") };

/** There is no NODE_DEBUG. */
export function debuglog(
  _section: string,
): ((format: string, ...values: unknown[]) => void) & { enabled: boolean } {
  return Object.assign(() => {}, { enabled: false });
}

/** Bytes that nobody can predict. */
export function randomBytes(length: number): Bytes {
  return crypto.getRandomValues(new Bytes(length));
}

/** An integer from 0 to below 2^32 that nobody can predict. */
export function randomInt(_below: number): number {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}

/** Whether bytes are text. */
export function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes as Uint8Array<ArrayBuffer>);
    return true;
  } catch {
    return false;
  }
}

/** A timer: in a page nothing has to be kept alive. */
class Timer {
  readonly id: ReturnType<typeof globalThis.setTimeout>;

  constructor(id: ReturnType<typeof globalThis.setTimeout>) {
    this.id = id;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

/** Runs a function when the current call stack is done, before any input or timer. */
export function nextTick(run: () => void): void {
  queueMicrotask(run);
}

/** What waits for the next turn, and the port that brings it: timers of a page wait for 4 ms, and for a second in a hidden tab. */
const turns: (() => void)[] = [];
let port: { postMessage(value: unknown): void } | undefined;

function onTurn(): void {
  turns.shift()?.();
}

/** Runs a function on the next turn of the event loop. */
export function setImmediate(run: () => void): { unref(): void } {
  if (port === undefined) {
    const channel = new MessageChannel();
    const receiving = channel.port1 as unknown as { onmessage: () => void; unref?(): void };
    receiving.onmessage = onTurn;
    // Deno and Bun: this port keeps no program running.
    receiving.unref?.();
    port = channel.port2;
  }
  turns.push(run);
  port.postMessage(0);
  return { unref: () => {} };
}

/** Runs a function after a number of milliseconds. */
export function setTimeout(run: () => void, ms: number): Timer {
  return new Timer(globalThis.setTimeout(run, ms));
}

/** Undoes setTimeout. */
export function clearTimeout(timer: Timer | undefined): void {
  if (timer !== undefined) globalThis.clearTimeout(timer.id);
}

/** Milliseconds of a monotonic clock. */
export function monotonicMs(): number {
  return performance.now();
}

/** Milliseconds since 1970. This clock may be set back. */
export function wallClockMs(): number {
  return Date.now();
}

/** A browser does not count idle time. */
export function idleMs(): number {
  return 0;
}

/** A number from 0 to below 1. Predictable: do not use it for secrets. */
export function random(): number {
  return Math.random();
}

/** Only Node has such a setting. */
export function bugsAreThrown(): boolean {
  return false;
}

/** Warns on the console. */
export function emitWarning(text: string | Error, _options?: object): void {
  console.warn(text);
}

/** Whether another thread can write to this memory. A page has such memory only where it is isolated from others. */
export function isSharedMemory(memory: unknown): memory is SharedArrayBuffer {
  return typeof SharedArrayBuffer !== "undefined" && memory instanceof SharedArrayBuffer;
}
