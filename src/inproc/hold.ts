/** Keeps a thread alive for an endpoint that waits for other threads. */
import type { NameDirectory } from "./name-directory.js";

/** Holds while it is both wanted and not unreferenced. */
export class Hold {
  readonly #directory: NameDirectory | null;
  #held = false;

  /** @param directory null where names do not span threads: nothing is held then */
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
