/**
 * The incoming queue of a pipe: what has arrived and has not been read, and the marks at which reading from the peer pauses.
 * Uses no I/O and no clock. Hot path.
 */

import { Fifo } from "../base/fifo.js";
import { anyLent, letGoOf } from "../base/lent.js";
import type { Message } from "../base/message.js";
import { type Budget, FREE_BYTES, type Waiting } from "./budget.js";
import type { MessageSink } from "./incoming/assembler.js";
import type { FrameRun } from "./incoming/frame-run.js";
import { NewestMessage, NewestOfTopics } from "./incoming/newest.js";
import { OpenMessage } from "./incoming/open-message.js";
import { heldBytes, PART_COST } from "./message-size.js";
import { lowWaterMark, Pipe } from "./pipe.js";

/** What stands in the queue in place of whole messages. */
type Queued = FrameRun | OpenMessage | NewestMessage;

export abstract class InboundPipe extends Pipe implements MessageSink, Waiting {
  readonly #inbound = new Fifo<Message | Queued>();
  #inboundLength = 0;
  /** A run taken from the queue that still holds messages. */
  #run: Queued | null = null;
  /** The places of topics in the queue, where only the newest message of each waits. */
  #newest: NewestOfTopics | null = null;
  readonly #budget: Budget = this.owner.received;
  /** Bytes of queued messages, and of an incomplete message. Both count against the limits. */
  #inboundBytes = 0;
  #openBytes = 0;
  #throttled = false;
  /** Reading has stopped whatever the marks say. */
  #heldBack = false;

  protected abstract pauseReading(): void;
  protected abstract resumeReading(): void;

  override get inboundLength(): number {
    return this.#inboundLength;
  }

  /** A message has arrived. */
  deliver(message: Message): void {
    if (!this.intercept?.(this, message)) this.enqueue(message);
    else letGoOf(message);
  }

  /** Many messages have arrived. */
  deliverRun(run: FrameRun): void {
    if (this.filter !== null) run.retain(this.filter);
    else if (this.intercept !== null) {
      while (run.length > 0) this.deliver(run.shift());
      return;
    }
    if (run.length === 0) return;
    if (this.conflatesReceived) {
      while (run.length > 0) this.enqueue(run.shift());
      return;
    }
    this.#queue(run);
  }

  /** A message of very many parts has arrived. */
  deliverLong(message: OpenMessage): void {
    if (this.filter !== null) {
      if (!message.wanted(this.filter)) {
        message.letGo();
        return;
      }
    } else if (this.intercept !== null) {
      this.deliver(message.shift());
      return;
    }
    if (this.conflatesReceived) this.enqueue(message.shift());
    else this.#queue(message);
  }

  #queue(run: Queued): void {
    this.#inbound.push(run);
    this.#inboundLength += run.length;
    this.#hold(run.cost);
  }

  #hold(bytes: number): void {
    this.#inboundBytes += bytes;
    this.#budget.add(bytes);
  }

  #letGo(bytes: number): void {
    this.#inboundBytes -= bytes;
    this.#budget.remove(bytes);
  }

  override enqueue(message: Message): void {
    if (this.conflatesReceived && this.#conflated(message)) return;
    this.#inbound.push(message);
    this.#inboundLength++;
    const bytes = message.length === 1 ? message[0].length + PART_COST : heldBytes(message);
    this.#inboundBytes += bytes;
    this.#budget.held += bytes;
  }

  /** Makes room for the newest message (G14). True: it has been queued in its topic's place. */
  #conflated(message: Message): boolean {
    if (this.conflate === "topic") return this.putNewest(message);
    this.conflateInbound();
    return false;
  }

  /** Makes room for the newest message of all. */
  protected conflateInbound(): void {
    if (this.#inboundLength > 0) this.#budget.conflated++;
    this.discardInbound();
  }

  /** Queues a message in the place of the one of its topic that waits. False for a message without a topic. */
  protected putNewest(message: Message): boolean {
    this.#newest ??= new NewestOfTopics();
    const place = this.#newest.put(message);
    if (place === undefined) return false;
    if (place === null) {
      this.#budget.conflated++;
      if (this.#newest.grown > 0) this.#hold(this.#newest.grown);
      else this.#letGo(-this.#newest.grown);
    } else this.#queue(place);
    return true;
  }

  /** Whether putNewest() would add neither a message nor bytes. */
  protected coveredByNewest(message: Message): boolean {
    return this.#newest?.covers(message) === true;
  }

  /**
   * Call at the end of each chunk: enforces the receive marks and wakes the socket.
   * @param openBytes what an incomplete message counts against the marks
   */
  delivered(openBytes: number): void {
    if (openBytes !== this.#openBytes) this.#begun(openBytes);
    if (!this.#throttled && this.#mustPause()) {
      this.#throttled = true;
      this.pauseReading();
    }
    if (this.#inboundLength > 0) this.owner.pipeReadable(this);
  }

  #begun(openBytes: number): void {
    const more = openBytes - this.#openBytes;
    this.#openBytes = openBytes;
    if (more > 0) this.#budget.add(more);
    else this.#budget.remove(-more);
    if (openBytes === 0) this.#budget.done(this);
  }

  override read(): Message | undefined {
    if (this.#inboundLength === 0) return undefined;
    this.#inboundLength--;
    const message = this.#take();
    if (this.#throttled && this.#belowMark()) this.#readOn();
    return message;
  }

  /** Moves the oldest unread messages to the end of the queue. */
  moveToEnd(count: number): void {
    for (let i = 0; i < count; i++) {
      this.#inboundLength--;
      this.enqueue(this.#take());
    }
  }

  /** Resets the count when the queue is empty. A message may have shrunk while it was queued, so the sum may be off. */
  protected clearCount(): void {
    this.#letGo(this.#inboundBytes);
  }

  /** Drops the oldest unread message. There must be one. */
  forgetOldest(): void {
    this.#inboundLength--;
    this.#take();
  }

  #readOn(): void {
    this.#throttled = false;
    this.resumeReading();
  }

  #take(): Message {
    let run = this.#run;
    if (run === null) {
      const head = this.#inbound.shift() as Message | Queued;
      if (Array.isArray(head)) {
        const bytes = head.length === 1 ? head[0].length + PART_COST : heldBytes(head);
        this.#inboundBytes -= bytes;
        this.#budget.held -= bytes;
        if (this.#budget.watched) this.#budget.fell();
        return head;
      }
      run = head;
      this.#run = run;
    }
    const message = run.shift();
    if (run.length === 0) {
      this.#run = null;
      this.#letGo(run.cost);
    }
    return message;
  }

  override get inboundBytes(): number {
    return this.#inboundBytes;
  }

  override discardInbound(): void {
    if (anyLent()) {
      for (const entry of this.#inbound) {
        if (entry instanceof OpenMessage || entry instanceof NewestMessage) entry.letGo();
        else letGoOf(entry);
      }
    }
    this.#inbound.clear();
    this.#newest?.clear();
    this.#run = null;
    this.#inboundLength = 0;
    this.#letGo(this.#inboundBytes);
  }

  override get throttled(): boolean {
    return this.#throttled;
  }

  #mustPause(): boolean {
    const { receiveHighWaterMark, receiveHighWaterMarkBytes } = this.limits;
    if (this.conflate === true) return false;
    const bytes = this.#inboundBytes + this.#openBytes;
    if (this.#inboundLength > 0) {
      if (receiveHighWaterMark > 0 && this.#inboundLength >= receiveHighWaterMark) return true;
      if (receiveHighWaterMarkBytes > 0 && bytes >= receiveHighWaterMarkBytes) return true;
    }
    if (bytes < FREE_BYTES || !this.#budget.full || this.#mayFinish()) return false;
    this.#budget.wait(this);
    this.owner.pipeHeldBack(this);
    return true;
  }

  /** An incomplete message frees its memory only after its end has arrived, so one pipe at a time may read on. */
  #mayFinish(): boolean {
    return this.#inboundLength === 0 && this.#budget.favours(this);
  }

  override holdBack(): void {
    this.#heldBack = true;
    if (this.#throttled) return;
    this.#throttled = true;
    this.pauseReading();
  }

  override letOn(): void {
    if (!this.#heldBack) return;
    this.#heldBack = false;
    if (this.#throttled && this.#belowMark()) this.#readOn();
  }

  #belowMark(): boolean {
    if (this.#heldBack) return false;
    const { receiveHighWaterMark, receiveHighWaterMarkBytes } = this.limits;
    const bytes = this.#inboundBytes + this.#openBytes;
    if (this.#inboundLength > 0) {
      if (receiveHighWaterMark > 0 && this.#inboundLength > lowWaterMark(receiveHighWaterMark)) return false;
      if (receiveHighWaterMarkBytes > 0 && bytes > lowWaterMark(receiveHighWaterMarkBytes)) return false;
    }
    if (bytes < FREE_BYTES || this.#budget.low || this.#mayFinish()) return true;
    this.#budget.wait(this);
    return false;
  }

  /** The connection is gone: an incomplete message will not be continued. */
  protected connectionLost(): void {
    if (this.#openBytes > 0) this.#begun(0);
    this.#budget.forget(this);
    if (this.#throttled && this.#belowMark()) this.#throttled = false;
  }

  /** Called by the budget: other pipes hold less, or the pipe that was allowed to read on has completed its message. */
  budgetFell(): void {
    if (this.#throttled && this.#belowMark()) this.#readOn();
  }
}
