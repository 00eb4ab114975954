/**
 * inproc: two pipes of one thread joined directly; messages pass by reference. Commands do not exist here (R22),
 * subscriptions are calls. The pipe holds the sum of the sender's and the receiver's marks (G6). Knows no names:
 * who is joined to whom is decided in session/inproc.ts.
 */
import { type OutMessage, toReceived } from "../message.js";
import { Fifo } from "./fifo.js";
import { Pipe, type PipeLimits, type PipeOwner } from "./pipe.js";

/** Runs a function after the current one has returned, so that two sockets never call into each other's callers. */
export type Defer = (run: () => void) => void;

export class DirectPipe extends Pipe {
  #other: DirectPipe | null = null;
  /** Before the other side exists: messages of a connector whose name is not bound yet (R20). */
  readonly #waiting = new Fifo<OutMessage>();
  #full = false;
  #wakeScheduled = false;
  readonly #defer: Defer;
  readonly #onFail: (error: Error) => void;

  constructor(owner: PipeOwner, limits: PipeLimits, defer: Defer, onFail: (error: Error) => void) {
    super(owner, limits);
    this.#defer = defer;
    this.#onFail = onFail;
  }

  /** Join two ends; what was queued before goes over now. */
  static join(a: DirectPipe, b: DirectPipe): void {
    a.#other = b;
    b.#other = a;
    a.#handOver();
    b.#handOver();
  }

  #handOver(): void {
    for (let message = this.#waiting.shift(); message !== undefined; message = this.#waiting.shift()) {
      this.#pass(message);
    }
    if (this.#full && this.#belowMark()) this.#wakeSender();
  }

  get joined(): boolean {
    return this.#other !== null;
  }

  /** Part the ends. Messages already passed stay readable on either side (G4). */
  separate(): void {
    const other = this.#other;
    this.#other = null;
    if (other !== null) other.#other = null;
  }

  override get outboundLength(): number {
    return this.#waiting.length;
  }

  override hasRoom(): boolean {
    if (!this.#belowMark()) this.#full = true;
    return !this.#full;
  }

  #belowMark(): boolean {
    const mark = this.limits.sendHighWaterMark;
    if (this.limits.conflate || mark === 0) return true;
    const other = this.#other;
    if (other === null) return this.#waiting.length < mark;
    const theirs = other.limits.receiveHighWaterMark;
    return theirs === 0 || other.inbound.length < mark + theirs;
  }

  override trySend(message: OutMessage): boolean {
    if (!this.hasRoom()) return false;
    if (this.#other !== null) this.#pass(message);
    else {
      if (this.limits.conflate) this.#waiting.clear();
      this.#waiting.push(message);
    }
    return true;
  }

  #pass(message: OutMessage): void {
    const other = this.#other as DirectPipe;
    other.deliver(toReceived(message));
    if (other.inbound.length > 0 && !other.#wakeScheduled) {
      other.#wakeScheduled = true;
      this.#defer(() => {
        other.#wakeScheduled = false;
        if (other.inbound.length > 0) other.owner.pipeReadable(other);
      });
    }
  }

  override read(): ReturnType<Pipe["read"]> {
    const message = super.read();
    const other = this.#other;
    if (other === null || !other.#full) return message;
    if (this.inbound.length <= this.limits.receiveHighWaterMark >> 1) other.#wakeSender();
    return message;
  }

  #wakeSender(): void {
    this.#full = false;
    this.#defer(() => this.owner.pipeWritable(this));
  }

  override sendSubscription(topic: Buffer, subscribe: boolean): void {
    const other = this.#other;
    if (other !== null) other.owner.pipeSubscription(other, topic, subscribe);
  }

  override fail(error: Error): void {
    this.#onFail(error);
  }

  protected override pauseReading(): void {
    // Nothing to pause: the sender sees our queue itself.
  }

  protected override resumeReading(): void {
    // As above: read() wakes a sender that was refused.
  }
}
