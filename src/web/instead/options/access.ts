/** Stands for options/access.ts: in a page, options have names and no numbers. */
import type { NumberedOption } from "../../../options/numbers.js";

export abstract class OptionAccess {
  /** @internal */
  protected abstract get optionNumbers(): ReadonlyMap<number, NumberedOption>;
  /** @internal throws when the options can no longer be reached */
  protected abstract requireOpen(): void;
}
