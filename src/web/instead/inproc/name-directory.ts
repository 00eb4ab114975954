/** Stands for inproc/name-directory.ts: each page and each of its workers has inproc names of its own. */
import type { NameDirectory as Original } from "../../../inproc/name-directory.js";
import type { Stream } from "../../../transport/contract/transport.js";

export type { NameDirectoryHandler } from "../../../inproc/name-directory.js";

export class NameDirectory implements Pick<Original, keyof Original> {
  claim(): Promise<void> | undefined {
    return undefined;
  }

  release(): void {}

  connect(): Stream | undefined {
    return undefined;
  }

  isBound(): Promise<boolean> {
    return Promise.resolve(false);
  }

  hold(): void {}

  letGo(): void {}
}
