/**
 * DEALER (RFC 28 §The DEALER Socket Type): messages in turn to peers with room and from all peers in turn, their parts
 * untouched (I1, I2).
 */

import type { OutMessage } from "../../base/message.js";
import { defineOptions } from "../../core/socket.js";
import type { Pipe } from "../../engine/pipe.js";
import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { optionsOf } from "../../options/table.js";
import { LoadBalancer } from "../../patterns/load-balancer.js";
import { sendProbe } from "../../patterns/probe.js";
import { DuplexSocket } from "../directions.js";

const OPTIONS = optionsOf("DEALER");

/** Options of Dealer. */
export interface DealerOptions extends OptionsOf<"DEALER"> {}

/** Sends to peers in turn and receives from all in turn: DEALER, and CLIENT of the drafts. */
export abstract class DealerBase extends DuplexSocket {
  readonly #balancer = new LoadBalancer();

  protected override canSend(): boolean {
    return this.#balancer.hasRoom;
  }

  protected override route(message: OutMessage): boolean {
    return this.#balancer.send(message);
  }

  override attachPipe(pipe: Pipe): void {
    super.attachPipe(pipe);
    this.#balancer.add(pipe);
    this.sender.queue.drain();
  }

  override detachPipe(pipe: Pipe): void {
    super.detachPipe(pipe);
    this.#balancer.remove(pipe);
  }

  override pipeWritable(pipe: Pipe): void {
    this.#balancer.activate(pipe);
    super.pipeWritable(pipe);
  }
}

export interface Dealer extends PropertiesOf<"DEALER"> {}

/** Talks to Router, Reply and Dealer sockets without waiting for replies. */
export class Dealer extends DealerBase {
  protected override readonly singleConnection = true;

  constructor(options?: DealerOptions) {
    super(5, "DEALER");
    this.applyOptions(options, OPTIONS);
    if (new.target === Dealer) Object.seal(this);
  }

  override attachPipe(pipe: Pipe): void {
    if (this.options.probeRouter) sendProbe(pipe);
    super.attachPipe(pipe);
  }
}

defineOptions(Dealer, OPTIONS);
