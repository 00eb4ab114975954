/** What the tests of drain() share: its limits and results, and programs that read or answer while it goes on. */
import { randomInt } from "node:crypto";
import { expect } from "vitest";
import { systemClock } from "../../src/base/deadline.js";
import { Runtime } from "../../src/base/runtime.js";
import { Context, type Router, type Socket } from "../../src/index.js";
import { settled, standing, turns } from "./helpers.js";

/** Longer than any of these tests takes: only a failing one waits for it. */
export const LONG = { timeout: 60_000 };
/** The result when nothing is lost. */
export const ALL = { unread: 0, unsent: 0, open: 0 };

/** A runtime whose loop turns and whose timers fire as ever; but time passes only when a test says so for whoever asks for it. */
class Unhurried extends Runtime {
  #now = systemClock.now();

  override now(): number {
    return this.#now;
  }

  pass(ms: number): void {
    this.#now += ms;
  }
}

/** A context in which it is a test that says how long something has lasted. */
export function unhurried(): { readonly context: Context; pass(ms: number): void } {
  const context = new Context();
  const runtime = new Unhurried({
    ...systemClock,
    nextTick: (run) => process.nextTick(run),
    random: Math.random,
    random32: () => randomInt(2 ** 32),
    bug(error) {
      throw error;
    },
  });
  context.runtime = runtime;
  return { context, pass: (ms) => runtime.pass(ms) };
}

/** Texts of the numbers from 0. */
export const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`);

/** Takes messages one by one, and lets the loop turn with each in its hands, or with one of so many. */
export async function take(
  socket: AsyncIterable<Buffer[]>,
  into: string[],
  { hold = 1, every = 1 } = {},
): Promise<"ended"> {
  for await (const [part] of socket) {
    if (into.length % every === 0) await turns(hold);
    into.push(String(part));
  }
  return "ended";
}

/** A drain has looked at its socket several times, has nothing else to wait for, and waits. */
export async function expectWaiting(socket: Socket, drained: Promise<unknown>): Promise<void> {
  await standing(() => socket.peers.length, "it has looked", -1);
  expect(await settled(drained)).toBe(false);
}

/** Answers each question "q" with "re q", after some turns. */
export async function answer(router: Router, hold = 1): Promise<"ended"> {
  for await (const [id, question] of router) {
    await turns(hold);
    await router.send([id, `re ${question}`]);
  }
  return "ended";
}
