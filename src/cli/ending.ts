/**
 * How a command that runs until something ends it is ended from outside: by SIGINT, SIGTERM or SIGHUP, or because nobody
 * reads its output any more.
 */
import { constants } from "node:os";
import type { Output } from "./command.js";
import { EXIT } from "./errors.js";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
type Signal = (typeof SIGNALS)[number];

/** The reason of Ending's signal. */
export class Ended extends Error {
  override readonly name = "Ended";
}

/** Asks the command to end, by its signal. A second SIGINT or SIGTERM ends the process at once. */
export class Ending {
  readonly #controller = new AbortController();
  #by: Signal | "gone" | null = null;
  readonly #listener = (name: Signal): void => this.#end(name);

  /** From here on, signals no longer end the process by themselves, until release(). */
  constructor(output: Output) {
    for (const name of SIGNALS) process.on(name, this.#listener);
    output.onGone?.(() => this.#end("gone"));
  }

  #end(by: Signal | "gone"): void {
    if (this.#by !== null && by !== "gone") process.exit(128 + constants.signals[by]);
    this.#by ??= by;
    this.#controller.abort(new Ended(by === "gone" ? "nobody reads the output" : `ended by ${by}`));
  }

  /** Aborts when the command is to end. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether nobody reads the output any more: printing is of no use. */
  get gone(): boolean {
    return this.#by === "gone";
  }

  /**
   * The exit code of a command that this has ended.
   * @param hadAnEnd whether there was more to do: then it is 128 and the signal's number, otherwise 0, because a signal is the
   * ordinary end of what has no other
   */
  exitCode(hadAnEnd: boolean): number {
    if (this.#by === null || this.#by === "gone" || !hadAnEnd) return EXIT.ok;
    return 128 + constants.signals[this.#by];
  }

  /** Signals end the process by themselves again. */
  release(): void {
    for (const name of SIGNALS) process.off(name, this.#listener);
  }
}
