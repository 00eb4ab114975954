/**
 * RADIO (RFC 48 §The RADIO Socket Type; items N9, N10, N12): each message to every DISH that joined its group; never
 * waits unless told to. Over udp each message goes to every endpoint, because nobody tells what he has joined (N13).
 */

import type { OutMessage } from "../../../base/message.js";
import type { Buffer } from "../../../base/platform.js";
import { GROUP_FORM, requireGroupFits } from "../../../engine/datagrams/form.js";
import type { Pipe } from "../../../engine/pipe.js";
import { ProtocolError } from "../../../wire/zmtp/protocol-error.js";
import { overflowOf } from "../../full-peer.js";
import { Groups } from "../../groups.js";
import { discard, type Sending, type SocketType, Strategy, type StrategyHost } from "../../strategy.js";

export class RadioStrategy extends Strategy implements Sending {
  readonly #overflow = overflowOf(this.host);
  readonly #groups = new Groups(this.host, this.#overflow);

  constructor(host: StrategyHost) {
    super(host);
    host.holdWhenLate(() => host.attached);
  }

  get canSend(): boolean {
    return !this.#overflow.waits || [...this.host.pipes].every((pipe) => pipe.hasRoom());
  }

  send(message: OutMessage): boolean {
    if (this.#groups.someWantAll) requireGroupFits(message as Uint8Array[]);
    return this.#groups.send(message);
  }

  override attach(pipe: Pipe): void {
    pipe.intercept = discard; // a DISH sends no messages
    if (pipe.wantsAll) this.#groups.joinAll(pipe);
  }

  override detach(pipe: Pipe): void {
    if (pipe.wantsAll) this.disconnected(pipe); // nothing was connected
  }

  override subscription(pipe: Pipe, group: Buffer, join: boolean): void {
    if (!join) this.#groups.leave(pipe, group);
    else if (!this.#groups.join(pipe, group)) pipe.fail(tooManyGroups());
  }

  override disconnected(pipe: Pipe): void {
    this.#groups.clear(pipe);
    this.host.roomForSends(); // with noDrop, a send may wait for this peer
  }

  override get dropped(): number {
    return this.#overflow.dropped;
  }
}

export const RADIO: SocketType<RadioStrategy> = {
  number: 14,
  name: "RADIO",
  strategy: RadioStrategy,
  threadSafe: true,
  datagrams: { form: GROUP_FORM, opens: "connect" },
};

/** Closes the connection of a peer that would fill our memory. */
function tooManyGroups(): ProtocolError {
  const text = "a peer subscribed to more than we can remember";
  return new ProtocolError("too-many-subscriptions", text, { rule: "J26", kind: "protocol" });
}
