/**
 * RADIO (RFC 48 §The RADIO Socket Type; items N9, N10, N12): each message to every DISH that joined its group; never
 * blocks.
 */

import type { MessageLike, OutMessage } from "../../../base/message.js";
import type { Buffer } from "../../../base/platform.js";
import { type CallOptions, checkCallOptions } from "../../../base/turns.js";
import { defineOptions, type SocketStats } from "../../../core/socket.js";
import type { Pipe } from "../../../engine/pipe.js";
import type { OptionsOf, PropertiesOf } from "../../../options/options.js";
import { optionsOf } from "../../../options/table.js";
import { checkGroup, Groups } from "../../../patterns/groups.js";
import { WritableSocket } from "../../directions.js";
import { overflowOf } from "../full-peer.js";
import { tooManySubscriptions } from "../publisher.js";

const OPTIONS = optionsOf("RADIO");

/** Options of Radio. */
export interface RadioOptions extends OptionsOf<"RADIO"> {}

/** Which group a message is for. */
export interface RadioGroupOptions {
  /** At most 255 octets, none of them zero. */
  readonly group: string | Uint8Array;
}

export interface Radio extends PropertiesOf<"RADIO"> {}

/** Sends messages of one part to the Dish sockets of a group. */
export class Radio extends WritableSocket<readonly [MessageLike, RadioGroupOptions]> {
  readonly #overflow = overflowOf(this);
  readonly #groups = new Groups(this, this.#overflow);

  constructor(options?: RadioOptions) {
    super(14, "RADIO");
    this.applyOptions(options, OPTIONS);
    this.sender.queue.waitForLate(() => this.attached);
    if (new.target === Radio) Object.seal(this);
  }

  override get threadSafe(): boolean {
    return true;
  }

  /**
   * Send a message of one part to a group; else as Socket.send.
   * @throws TypeError for several parts or without a group, RangeError for a name that no group can have
   */
  override send(message: MessageLike, options: RadioGroupOptions & CallOptions): Promise<void> {
    return super.send(address(message, options), options);
  }

  /** As send(); false only with `noDrop`. */
  override trySend(message: MessageLike, options?: RadioGroupOptions): boolean {
    return super.trySend(address(message, options));
  }

  /** Send many messages, each with its group, for one promise. */
  override sendMany(
    messages: Iterable<readonly [MessageLike, RadioGroupOptions]>,
    options?: CallOptions,
  ): Promise<void> {
    checkCallOptions(options);
    return this.sender.sendMany(addressAll(messages), options);
  }

  override get stats(): SocketStats {
    return { ...super.stats, dropped: this.givenUp + this.#overflow.dropped };
  }

  protected override canSend(): boolean {
    return !this.#overflow.waits || [...this.pipes].every((pipe) => pipe.hasRoom());
  }

  protected override route(message: OutMessage): boolean {
    return this.#groups.send(message);
  }

  override attachPipe(pipe: Pipe): void {
    super.attachPipe(pipe);
    pipe.intercept = discard; // a DISH has nothing to say
  }

  override pipeSubscription(pipe: Pipe, group: Buffer, join: boolean): void {
    if (!join) this.#groups.leave(pipe, group);
    else if (!this.#groups.join(pipe, group)) pipe.fail(tooManySubscriptions());
  }

  override pipeDisconnected(pipe: Pipe): void {
    super.pipeDisconnected(pipe);
    this.#groups.clear(pipe);
    this.sender.queue.drain(); // with noDrop a send may have waited for this one
  }

  override pipeReadable(): void {
    // Never: everything is discarded on arrival.
  }
}

defineOptions(Radio, OPTIONS);

function discard(): boolean {
  return true;
}

function address(message: MessageLike, options: RadioGroupOptions | undefined): MessageLike[] {
  if (Array.isArray(message)) throw new TypeError("message must have one part"); // N1
  if (typeof options !== "object" || options === null) throw new TypeError("options must have a group");
  return [checkGroup(options.group), message];
}

function* addressAll(
  messages: Iterable<readonly [MessageLike, RadioGroupOptions]>,
): Generator<MessageLike[]> {
  for (const [message, options] of messages) yield address(message, options);
}
