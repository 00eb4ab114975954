/**
 * The demo's books: which items there are, what has come back for each, and from whom. Knows the messages of the
 * workers (worker.mjs), no sockets.
 */
import { Totals } from "./count.mjs";

export class Ledger {
  /** Items by index: { path } as found by the walk. */
  items;
  /** What came back for each item: { worker, count } or { worker, unreadable }. */
  results;
  /** Sums per worker. */
  workers = new Map();
  done = 0;
  bytes = 0;
  /** Results that came for an item that already had one: must stay 0. */
  doubles = 0;
  #markers = new Map();

  constructor(items) {
    this.items = items;
    this.results = new Array(items.length);
  }

  get complete() {
    return this.done === this.items.length;
  }

  /** Items without a result. */
  get missing() {
    return this.items.filter((_, index) => this.results[index] === undefined);
  }

  /** Who has sent back a marker of a round. */
  answered(round) {
    return this.#markers.get(round) ?? new Set();
  }

  /** How many markers of a round have come back. */
  markersBack = 0;

  /** Enters one message of a worker. */
  take(message) {
    const [worker, kind, about, ...rest] = message.map(String);
    if (kind === "marker") {
      const round = Number(about);
      this.#markers.set(round, this.answered(round).add(worker));
      this.markersBack++;
      return;
    }
    const index = Number(about);
    if (this.results[index] !== undefined) {
      this.doubles++;
      return;
    }
    this.done++;
    if (kind === "unreadable") {
      this.results[index] = { worker, unreadable: rest[0] };
      return;
    }
    const [lines, words, bytes, hash] = rest;
    const count = { lines: Number(lines), words: Number(words), bytes: Number(bytes), hash };
    this.results[index] = { worker, count };
    this.bytes += count.bytes;
    this.of(worker).add(this.items[index].path, count);
  }

  /** Sums of one worker. */
  of(worker) {
    let totals = this.workers.get(worker);
    if (totals === undefined) this.workers.set(worker, (totals = new Totals()));
    return totals;
  }
}
