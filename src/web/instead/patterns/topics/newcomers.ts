/**
 * Stands for patterns/topics/newcomers.ts: a page has no option `lastValue`. Its publishers dial, and the value for who
 * comes later is kept where subscribers arrive.
 */
import { ZmqError } from "../../../../base/errors.js";

export class Newcomers {
  readonly kept = { topics: 0, evicted: 0 };

  /** @throws ZmqError ENOTSUP, always */
  forget(): void {
    throw new ZmqError("ENOTSUP", {
      detail: "a page has no option lastValue, so there is nothing to forget",
    });
  }

  /** Only called with the option. @throws ZmqError ENOTSUP, always */
  send(): boolean {
    return this.forget() as never;
  }

  subscribed(): void {}
  cancelled(): void {}
  left(): void {}
  writable(): void {}
  optionChanged(): void {}
  close(): void {}
}
