/**
 * DISH (RFC 48 §The DISH Socket Type; items N8 to N11): the messages of the groups that it joined.
 */

import { passOn } from "../../../base/carried.js";
import { ZmqError } from "../../../base/errors.js";
import { letGoOf } from "../../../base/lent.js";
import type { Message } from "../../../base/message.js";
import type { Buffer } from "../../../base/platform.js";
import { GROUP_FORM } from "../../../engine/datagrams/form.js";
import type { Pipe } from "../../../engine/pipe.js";
import { ProtocolError } from "../../../wire/zmtp/protocol-error.js";
import { drained, type Receiving, type SocketType, Strategy } from "../../strategy.js";
import { TopicSet } from "../../topics/topic-set.js";

/** A message and its group. */
export type GroupMessage = [message: Buffer, of: { readonly group: Buffer }];

export class DishStrategy extends Strategy implements Receiving<GroupMessage> {
  readonly #groups = new TopicSet();
  readonly #connected = new Set<Pipe>();
  /** Some queued messages may be of groups that were left after the messages arrived. */
  #stale = false;
  readonly #intercept = (pipe: Pipe, message: Message): boolean => {
    if (message.length === 2) return !this.#groups.has(message[0]);
    const text = "a message of a group has two parts";
    pipe.fail(new ProtocolError("malformed-group-message", text, { rule: "N11", size: message.length }));
    return true;
  };

  /** @throws ZmqError EINVAL for a group joined already (N10) */
  join(group: Buffer): void {
    if (this.#groups.has(group))
      throw new ZmqError("EINVAL", { detail: `group "${group}" has been joined already` });
    this.#groups.add(group);
    for (const pipe of this.#connected) pipe.sendSubscription(group, true);
  }

  /** @throws ZmqError EINVAL for a group that is not joined (N10) */
  leave(group: Buffer): void {
    if (!this.#groups.remove(group))
      throw new ZmqError("EINVAL", { detail: `group "${group}" is not joined` });
    this.#stale = true;
    for (const pipe of this.#connected) pipe.sendSubscription(group, false);
  }

  next(): GroupMessage | undefined {
    const { inbound, pipes } = this.host;
    for (let message = inbound.next(); message !== undefined; message = inbound.next()) {
      const received: GroupMessage = [message[1], { group: message[0] }];
      passOn(message, received);
      if (!this.#stale || this.wants(received)) return received;
      letGoOf(message);
    }
    this.#stale = !drained(pipes);
    return undefined;
  }

  override wants([, { group }]: GroupMessage): boolean {
    return this.#groups.has(group);
  }

  override get mayHoldUnwanted(): boolean {
    return this.#stale;
  }

  override attach(pipe: Pipe): void {
    pipe.intercept = this.#intercept;
  }

  override connected(pipe: Pipe): void {
    this.#connected.add(pipe);
    for (const group of this.#groups) pipe.sendSubscription(group, true); // N8
  }

  override disconnected(pipe: Pipe): void {
    this.#connected.delete(pipe);
  }
}

export const DISH: SocketType<DishStrategy> = {
  number: 15,
  name: "DISH",
  strategy: DishStrategy,
  threadSafe: true,
  datagrams: { form: GROUP_FORM, opens: "bind" },
};
