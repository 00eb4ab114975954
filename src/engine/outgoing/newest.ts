/**
 * What a conflating pipe has to send (G14): the newest message of all, or of each topic. A newer message takes the place
 * of the older one, so that a topic that changes often cannot keep back one that changes seldom. Constant time for each
 * message: a Map keeps the place of a key whose value changes. Knows no pipes.
 */
import type { OutMessage } from "../../base/message.js";
import type { Budget } from "../budget.js";
import { topicKey } from "../topic-key.js";
import type { Batch } from "./batch.js";
import { copiedRun, type Shared, type SharedRun } from "./shared-run.js";

export class Newest {
  /** By topic. A number stands for a message that has none. */
  readonly #runs = new Map<string | number, SharedRun>();
  #withoutTopic = 0;
  /** Bytes that wait, with headers. */
  bytes = 0;
  readonly #budget: Budget;
  readonly #ofAll: boolean;

  /**
   * @param budget of the unsent bytes of all pipes of the socket
   * @param ofAll whether one message waits, whatever its topic
   */
  constructor(budget: Budget, ofAll: boolean) {
    this.#budget = budget;
    this.#ofAll = ofAll;
  }

  /** Messages that wait. */
  get messages(): number {
    return this.#runs.size;
  }

  /** What a message takes the place of; null if it takes none. */
  topicOf(message: OutMessage): string | null {
    return this.#ofAll ? "" : topicKey(message);
  }

  /** Bytes of the message of a topic that waits; undefined if there is none. */
  bytesOf(topic: string | null): number | undefined {
    return topic === null ? undefined : this.#runs.get(topic)?.bytes;
  }

  /**
   * Keeps a copy, because the message may wait for a long time.
   * @param shared the same message, for pipes that keep one copy together; null if it is for this pipe only
   */
  put(topic: string | null, message: OutMessage, shared: Shared | null): void {
    const run = shared?.copyOf(message) ?? copiedRun(message, this.#budget);
    const key = topic ?? this.#withoutTopic++;
    const older = this.#runs.get(key);
    run.hold();
    this.bytes += run.bytes;
    this.#runs.set(key, run);
    if (older === undefined) return;
    this.#drop(older);
    this.#budget.conflated++;
  }

  #drop(run: SharedRun): void {
    this.bytes -= run.bytes;
    run.drop();
  }

  /** Drops the oldest. There must be one. */
  dropOldest(): void {
    const [[key, run]] = this.#runs;
    this.#runs.delete(key);
    this.#drop(run);
  }

  /** Moves messages to a batch until it has so many bytes. What stays can still be replaced. */
  moveTo(batch: Batch, most: number): void {
    for (const [key, run] of this.#runs) {
      if (batch.bytes >= most) return;
      this.#runs.delete(key);
      batch.appendRun(run);
      this.#drop(run);
    }
  }

  clear(): void {
    for (const run of this.#runs.values()) run.drop();
    this.#runs.clear();
    this.bytes = 0;
  }
}
