/** Keeps a thread alive while an endpoint waits for other threads. */
import type { NameDirectory } from "./name-directory.js";

/** Whether one endpoint keeps its thread alive. */
export class Hold {
  readonly #directory: NameDirectory | null;
  #held = false;

  /** @param directory null if names are not shared between threads; then this has no effect */
  constructor(directory: NameDirectory | null) {
    this.#directory = directory;
  }

  set(held: boolean): void {
    if (held === this.#held) return;
    this.#held = held;
    if (held) this.#directory?.hold();
    else this.#directory?.letGo();
  }
}
