/**
 * PUSH (RFC 30 §The PUSH Socket Type): messages in turn to peers with room; never drops.
 */

import type { OutMessage } from "../../base/message.js";
import { defineOptions } from "../../core/socket.js";
import type { Pipe } from "../../engine/pipe.js";
import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { optionsOf } from "../../options/table.js";
import { LoadBalancer } from "../../patterns/load-balancer.js";
import { WritableSocket } from "../directions.js";

const OPTIONS = optionsOf("PUSH");

/** Options of Push. */
export interface PushOptions extends OptionsOf<"PUSH"> {}

/** Hands out messages, one peer at a time: PUSH, and SCATTER of the drafts. */
export abstract class PushBase extends WritableSocket {
  readonly #balancer = new LoadBalancer();

  protected override canSend(): boolean {
    return this.#balancer.hasRoom;
  }

  protected override route(message: OutMessage): boolean {
    return this.#balancer.send(message);
  }

  override attachPipe(pipe: Pipe): void {
    super.attachPipe(pipe);
    pipe.intercept = discard; // a PULL has nothing to say
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

  override pipeReadable(): void {
    // Never: everything is discarded on arrival.
  }
}

export interface Push extends PropertiesOf<"PUSH"> {}

/** Hands out messages, one peer at a time, to Pull sockets. */
export class Push extends PushBase {
  constructor(options?: PushOptions) {
    super(8, "PUSH");
    this.applyOptions(options, OPTIONS);
    if (new.target === Push) Object.seal(this);
  }
}

defineOptions(Push, OPTIONS);

function discard(): boolean {
  return true;
}
