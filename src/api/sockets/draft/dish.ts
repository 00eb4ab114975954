/**
 * DISH (RFC 48 §The DISH Socket Type; items N8 to N11): receives the messages of the groups that it has joined.
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

/** The group of a received message. */
export interface DishGroup {
  /** The name of the group. */
  readonly group: Buffer;
}

/** A received message: its part and its group. */
export type DishMessage = [message: Buffer, of: DishGroup];

export interface Dish extends PropertiesOf<"DISH"> {}

/** Receives the messages that Radio sockets send to the groups that it has joined. */
export class Dish extends ReadableSocket<DishMessage> {
  constructor(options?: DishOptions) {
    super(DISH, options, OPTIONS);
    if (new.target === Dish) Object.seal(this);
  }

  /**
   * Joins groups: from now on, receives the messages that are sent to them.
   * @throws TypeError or RangeError for a name that a group cannot have (at most 255 bytes, none of them zero);
   * ZmqError EINVAL for a group that has been joined already (N10), EBADF on a closed socket
   */
  join(...groups: (string | Uint8Array)[]): void {
    const core = coreOf<DishStrategy>(this);
    core.requireOpen();
    for (const group of groups.map(checkGroup)) core.strategy.join(group);
  }

  /**
   * Leaves groups. Their messages that have arrived and were not read are lost.
   * @throws TypeError, RangeError as join(); ZmqError EINVAL for a group that is not joined (N10), EBADF on a closed
   * socket
   */
  leave(...groups: (string | Uint8Array)[]): void {
    const core = coreOf<DishStrategy>(this);
    core.requireOpen();
    for (const group of groups.map(checkGroup)) core.strategy.leave(group);
  }
}

defineOptions(Dish, OPTIONS);
