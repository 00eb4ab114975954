/**
 * PAIR (RFC 31 §The PAIR Socket Type): one peer at a time, both ways (L1 to L4).
 */

import type { Peer } from "../../base/events.js";
import type { OutMessage } from "../../base/message.js";
import { defineOptions } from "../../core/socket.js";
import type { Interceptor, Pipe } from "../../engine/pipe.js";
import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { optionsOf } from "../../options/table.js";
import { ProtocolError } from "../../wire/zmtp/protocol-error.js";
import { DuplexSocket } from "../directions.js";

const OPTIONS = optionsOf("PAIR");

/** Options of Pair. */
export interface PairOptions extends OptionsOf<"PAIR"> {}

/** One peer at a time: PAIR, and CHANNEL of the drafts. */
export abstract class PairBase extends DuplexSocket {
  /** The peer's pipe; also one that is dialled and waits for its peer. */
  #pipe: Pipe | undefined;
  /** Looks at messages of the peer on arrival. */
  protected readonly arrival: Interceptor | null = null;

  protected override canSend(): boolean {
    return this.#pipe?.hasRoom() ?? false;
  }

  protected override route(message: OutMessage): boolean {
    return this.#pipe?.trySend(message) ?? false; // L2
  }

  override attachPipe(pipe: Pipe): void {
    super.attachPipe(pipe);
    if (this.#pipe === undefined) this.#serve(pipe);
    else pipe.intercept = discard;
  }

  #serve(pipe: Pipe): void {
    this.#pipe = pipe;
    pipe.intercept = this.arrival;
    this.sender.queue.drain();
  }

  override pipeConnected(pipe: Pipe, peer: Peer): void {
    super.pipeConnected(pipe, peer);
    if (this.#pipe === pipe) return;
    // L1: libzmq leaves a second connection open and mute; closed, its dialler comes back later.
    const text = "this socket has a peer already";
    pipe.fail(new ProtocolError("peer-taken", text, { rule: "L1", kind: "other" }));
  }

  override detachPipe(pipe: Pipe): void {
    super.detachPipe(pipe);
    if (this.#pipe !== pipe) return;
    this.#pipe = undefined;
    // L3: an endpoint of ours that was turned away so far may have the place now.
    for (const other of this.pipes) {
      this.#serve(other);
      break;
    }
  }
}

export interface Pair extends PropertiesOf<"PAIR"> {}

/**
 * Talks to one other Pair socket. A second one is disconnected at once: over tcp and ipc it dials again until the place
 * is free, over inproc it has to connect anew (L1, R22). What it sent before that is lost.
 */
export class Pair extends PairBase {
  constructor(options?: PairOptions) {
    super(0, "PAIR");
    this.applyOptions(options, OPTIONS);
    if (new.target === Pair) Object.seal(this);
  }
}

defineOptions(Pair, OPTIONS);

function discard(): boolean {
  return true;
}
