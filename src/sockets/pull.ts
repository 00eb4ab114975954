/**
 * PULL (RFC 30 §The PULL Socket Type): whole messages from all peers in turn.
 */
import { ReadableSocket } from "../directions.js";
import type { Pipe } from "../engine/pipe.js";
import type { Message } from "../message.js";
import {
  type ConflateOptions,
  OPTION_GROUPS,
  type OptionName,
  type OptionProperties,
  type ReadableOptions,
  type SocketOptions,
} from "../options.js";
import { FairQueue } from "../patterns/fair-queue.js";
import { defineOptions } from "../socket.js";

const OPTIONS: readonly OptionName[] = [...OPTION_GROUPS.socket, ...OPTION_GROUPS.readable, "conflate"];

/** Options of Pull. */
export interface PullOptions extends SocketOptions, ReadableOptions, ConflateOptions {}

/** Collects messages from all peers in turn: PULL, and GATHER of the drafts. */
export abstract class PullBase extends ReadableSocket {
  readonly #queue = new FairQueue();

  protected override next(): Message | undefined {
    return this.#queue.next();
  }

  override pipeReadable(pipe: Pipe): void {
    this.#queue.activate(pipe);
    super.pipeReadable(pipe);
  }

  protected override unread(): number {
    return this.#queue.length;
  }

  protected override forgetInbound(pipe: Pipe): void {
    this.#queue.remove(pipe);
    super.forgetInbound(pipe);
  }
}

export interface Pull extends OptionProperties<PullOptions> {}

/** Collects messages from Push sockets. */
export class Pull extends PullBase {
  constructor(options?: PullOptions) {
    super(7, "PULL");
    this.applyOptions(options, OPTIONS);
    if (new.target === Pull) Object.seal(this);
  }
}

defineOptions(Pull, OPTIONS);
