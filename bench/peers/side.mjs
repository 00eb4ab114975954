/**
 * One side of a trial, in its own process: gets its job as an argument, talks to ../trial.mjs over Node's IPC channel,
 * and measures itself. Knows no library.
 *
 * To the parent: { event: "ready", endpoint } · "subscribed" · "warm", "weighed", "connected" · "done" with figures.
 * From the parent: "go" · "weigh" · "finish".
 */

export { Samples } from "./samples.mjs";

/** What this side shall do; trial.mjs writes it. */
export const job = JSON.parse(process.argv[2]);

const told = new Map();

function toldTo(word) {
  let one = told.get(word);
  if (one === undefined) {
    one = {};
    one.promise = new Promise((resolve) => {
      one.resolve = resolve;
    });
    told.set(word, one);
  }
  return one;
}

process.on("message", (word) => toldTo(word).resolve());
// A parent that is gone wants no figures.
process.on("disconnect", () => process.exit(1));

/** Resolves when the parent says the word, or has said it. */
export function parentSays(word) {
  return toldTo(word).promise;
}

export function tellParent(line) {
  process.send(line);
}

const TICK_MS = 10;

/** Whether timers still get their turn: the longest that one came late. */
class TimerWatch {
  #due = performance.now() + TICK_MS;
  #worst = 0;
  #timer = setInterval(() => this.#tick(), TICK_MS);

  #tick() {
    const now = performance.now();
    this.#worst = Math.max(this.#worst, now - this.#due);
    this.#due = now + TICK_MS;
  }

  stop() {
    clearInterval(this.#timer);
    return Math.max(0, this.#worst, performance.now() - this.#due);
  }
}

/** Takes the time, this process's processor time (all of its threads included) and its timers' delay, from `start` on. */
export class Meter {
  #time = 0;
  #cpu;
  #watch;

  start() {
    this.#watch = new TimerWatch();
    this.#cpu = process.cpuUsage();
    this.#time = performance.now();
  }

  stop() {
    const seconds = (performance.now() - this.#time) / 1000;
    const { user, system } = process.cpuUsage(this.#cpu);
    return { seconds, cpuSeconds: (user + system) / 1e6, timerDelayMs: this.#watch.stop() };
  }
}

/** Reports the figures and ends this process. */
export function done(figures) {
  const peakRss = process.resourceUsage().maxRSS * 1024;
  process.send({ event: "done", ...figures, peakRss }, () => process.exit(0));
}
