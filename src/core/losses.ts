/** The messages that a socket has thrown away, and how many of them its program has been told of. */
import type { Peer } from "../base/events.js";
import type { StrategyHost } from "../patterns/strategy.js";
import type { Lost, SocketHost } from "../session/host.js";

/** The socket. */
interface Loser extends Pick<SocketHost, "emitEvent">, Pick<StrategyHost, "tellLimit"> {
  readonly strategy: { readonly onlySends: boolean };
}

export class Losses implements Lost {
  messages = 0;
  unread = 0;
  unsent = 0;
  readonly #core: Loser;
  /** How much of it the events "drop" have told. */
  readonly #told = { unread: 0, unsent: 0 };

  constructor(core: Loser) {
    this.#core = core;
  }

  /** Subscriptions that a publisher did not read are no messages that were lost. */
  countUnread(messages: number): void {
    if (!this.#core.strategy.onlySends) this.unread += messages;
  }

  tell(place: Parameters<Lost["tell"]>[0]): void {
    const unread = this.unread - this.#told.unread;
    const unsent = this.unsent - this.#told.unsent;
    if (unread + unsent === 0) return;
    this.#told.unread += unread;
    this.#told.unsent += unsent;
    this.#core.emitEvent("drop", { ...place, unread, unsent });
  }

  giveUp(peer: Peer | undefined, bytes: number): void {
    this.messages++;
    this.#core.tellLimit(peer, "maxResends", "dropped", bytes);
  }
}
