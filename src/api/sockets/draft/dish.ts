/**
 * DISH (RFC 48 §The DISH Socket Type; items N8 to N11): the messages of the groups that it joined.
 */

import { ZmqError } from "../../../base/errors.js";
import type { Peer } from "../../../base/events.js";
import type { Message } from "../../../base/message.js";
import type { Buffer } from "../../../base/platform.js";
import { defineOptions } from "../../../core/socket.js";
import type { Pipe } from "../../../engine/pipe.js";
import type { OptionsOf, PropertiesOf } from "../../../options/options.js";
import { optionsOf } from "../../../options/table.js";
import { checkGroup } from "../../../patterns/groups.js";
import { TopicSet } from "../../../patterns/topics/topic-set.js";
import { ProtocolError } from "../../../wire/zmtp/protocol-error.js";
import { ReadableSocket } from "../../directions.js";

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
  readonly #groups = new TopicSet();
  readonly #connected = new Set<Pipe>();
  /** What is queued was of a joined group when it came, and some of it may not be any more. */
  #stale = false;
  readonly #intercept = (pipe: Pipe, message: Message): boolean => {
    if (message.length === 2) return !this.#groups.has(message[0]);
    const text = "a message of a group has two parts";
    pipe.fail(new ProtocolError("malformed-group-message", text, { rule: "N11", octets: message.length }));
    return true;
  };

  constructor(options?: DishOptions) {
    super(15, "DISH");
    this.applyOptions(options, OPTIONS);
    if (new.target === Dish) Object.seal(this);
  }

  override get threadSafe(): boolean {
    return true;
  }

  /**
   * Receive what is sent to these groups.
   * @throws TypeError or RangeError for a name that no group can have, ZmqError EINVAL for a group joined already (N10)
   */
  join(...groups: (string | Uint8Array)[]): void {
    this.requireOpen();
    for (const group of groups.map(checkGroup)) {
      if (this.#groups.has(group))
        throw new ZmqError("EINVAL", { detail: `group "${group}" is joined already` });
      this.#groups.add(group);
      for (const pipe of this.#connected) pipe.sendSubscription(group, true);
    }
  }

  /**
   * Undo join(). What has arrived and was not yet read is lost.
   * @throws TypeError, RangeError; ZmqError EINVAL for a group that is not joined (N10)
   */
  leave(...groups: (string | Uint8Array)[]): void {
    this.requireOpen();
    for (const group of groups.map(checkGroup)) {
      if (!this.#groups.remove(group))
        throw new ZmqError("EINVAL", { detail: `group "${group}" is not joined` });
      this.#stale = true;
      for (const pipe of this.#connected) pipe.sendSubscription(group, false);
    }
  }

  protected override next(): DishMessage | undefined {
    for (let message = this.inbound.next(); message !== undefined; message = this.inbound.next()) {
      const received: DishMessage = [message[1], { group: message[0] }];
      if (!this.#stale || this.wants(received)) return received;
    }
    this.#stale = !this.drained;
    return undefined;
  }

  protected override wants([, { group }]: DishMessage): boolean {
    return this.#groups.has(group);
  }

  protected override get mayHoldUnwanted(): boolean {
    return this.#stale;
  }

  override attachPipe(pipe: Pipe): void {
    super.attachPipe(pipe);
    pipe.intercept = this.#intercept;
  }

  override pipeConnected(pipe: Pipe, peer: Peer): void {
    this.#connected.add(pipe);
    for (const group of this.#groups) pipe.sendSubscription(group, true); // N8
    super.pipeConnected(pipe, peer);
  }

  override pipeDisconnected(pipe: Pipe): void {
    super.pipeDisconnected(pipe);
    this.#connected.delete(pipe);
  }
}

defineOptions(Dish, OPTIONS);
