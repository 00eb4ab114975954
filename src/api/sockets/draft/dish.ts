/**
 * DISH (RFC 48 §The DISH Socket Type; items N8 to N11): the messages of the groups that it joined.
 */

import type { Buffer } from "../../../base/platform.js";
import type { OptionsOf, PropertiesOf } from "../../../options/options.js";
import { optionsOf } from "../../../options/table.js";
import { checkGroup } from "../../../patterns/groups.js";
import { DISH, type DishStrategy } from "../../../patterns/strategies/draft/dish.js";
import { ReadableSocket } from "../../readable.js";
import { coreOf, defineOptions } from "../../socket.js";

const OPTIONS = optionsOf("DISH");

/** Options of Dish. */
export interface DishOptions extends OptionsOf<"DISH"> {}

/** Which group a message is of. */
export interface DishGroup {
  readonly group: Buffer;
}

/** A received message: its part and its group. */
export type DishMessage = [message: Buffer, of: DishGroup];

export interface Dish extends PropertiesOf<"DISH"> {}

/** Receives what Radio sockets send to the groups that it joined. */
export class Dish extends ReadableSocket<DishMessage> {
  constructor(options?: DishOptions) {
    super(DISH, options, OPTIONS);
    if (new.target === Dish) Object.seal(this);
  }

  /**
   * Receive what is sent to these groups.
   * @throws TypeError or RangeError for a name that no group can have, ZmqError EINVAL for a group joined already (N10)
   */
  join(...groups: (string | Uint8Array)[]): void {
    const core = coreOf<DishStrategy>(this);
    core.requireOpen();
    for (const group of groups.map(checkGroup)) core.strategy.join(group);
  }

  /**
   * Undo join(). What has arrived and was not yet read is lost.
   * @throws TypeError, RangeError; ZmqError EINVAL for a group that is not joined (N10)
   */
  leave(...groups: (string | Uint8Array)[]): void {
    const core = coreOf<DishStrategy>(this);
    core.requireOpen();
    for (const group of groups.map(checkGroup)) core.strategy.leave(group);
  }
}

defineOptions(Dish, OPTIONS);
