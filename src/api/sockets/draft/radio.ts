/**
 * RADIO (RFC 48 §The RADIO Socket Type; items N9, N10, N12): sends each message to every DISH that has joined its
 * group. It never blocks.
 */

import type { MessageLike } from "../../../base/message.js";
import { type CallOptions, checkCallOptions } from "../../../base/waiting.js";
import type { OptionsOf, PropertiesOf } from "../../../options/options.js";
import { optionsOf } from "../../../options/table.js";
import { checkGroup } from "../../../patterns/groups.js";
import { RADIO } from "../../../patterns/strategies/draft/radio.js";
import { defineOptions } from "../../socket.js";
import { senderOf, WritableSocket } from "../../writable.js";

const OPTIONS = optionsOf("RADIO");

/** Options of Radio. */
export interface RadioOptions extends OptionsOf<"RADIO"> {}

/** The group that gets a message. */
export interface RadioGroupOptions {
  /** The name of the group: at most 255 bytes, none of them zero. */
  readonly group: string | Uint8Array;
}

export interface Radio extends PropertiesOf<"RADIO"> {}

/** Sends messages of one part to all Dish sockets that have joined their group. */
export class Radio extends WritableSocket<readonly [MessageLike, RadioGroupOptions]> {
  constructor(options?: RadioOptions) {
    super(RADIO, options, OPTIONS);
    if (new.target === Radio) Object.seal(this);
  }

  /**
   * Sends a message of one part to a group. Otherwise as WritableSocket.send.
   * @throws TypeError for several parts or without a group, RangeError for a name that a group cannot have
   */
  override send(message: MessageLike, options: RadioGroupOptions & CallOptions): Promise<void> {
    const addressed = address(message, options);
    checkCallOptions(options, this.send, ["group"]);
    return senderOf(this).send(addressed, options);
  }

  /** As send(), but returns at once. False only with `noDrop`, if a peer has no room. */
  override trySend(message: MessageLike, options?: RadioGroupOptions): boolean {
    return super.trySend(address(message, options));
  }

  /** Sends many messages, each with its group, with one promise; as WritableSocket.sendMany. */
  override sendMany(
    messages: Iterable<readonly [MessageLike, RadioGroupOptions]>,
    options?: CallOptions,
  ): Promise<void> {
    checkCallOptions(options, this.sendMany);
    return senderOf(this).sendMany(addressAll(messages), options);
  }
}

defineOptions(Radio, OPTIONS);

function address(message: MessageLike, options: RadioGroupOptions | undefined): MessageLike[] {
  if (Array.isArray(message)) throw new TypeError("message must have exactly one part"); // N1
  if (typeof options !== "object" || options === null)
    throw new TypeError("options must be an object with a group");
  return [checkGroup(options.group), message];
}

function* addressAll(
  messages: Iterable<readonly [MessageLike, RadioGroupOptions]>,
): Generator<MessageLike[]> {
  for (const [message, options] of messages) yield address(message, options);
}
