/**
 * Messages that a program borrows: their memory is used again when it gives them back.
 */
import { lentBody } from "../base/lent.js";
import { Buffer, debuglog } from "../base/platform.js";

/**
 * A borrowed message. It and its parts are valid until `release()`, which may be called again; `using` calls it, too. Then
 * their memory is used for other messages: copy what you want to keep (`Buffer.from(part)`), and write to no part.
 */
export type Borrowed<M> = M & {
  /** Gives the message back. */
  release(): void;
  /** The same. */
  [Symbol.dispose](): void;
};

/** `NODE_DEBUG=zwire-borrow`. */
const log = debuglog("zwire-borrow");
/** Tells of messages that were never given back, in debug mode. */
let forgotten: FinalizationRegistry<string> | undefined;

/** An array, so that a borrowed message is used as any other. */
class BorrowedMessage extends Array<unknown> {
  #lent: Uint8Array[] | null = [];

  /** Arrays that are made from it, as by slice(), are ordinary ones. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  /** Takes the parts of a message. */
  take(message: readonly unknown[]): void {
    const lent = this.#lent as Uint8Array[];
    for (const part of message) {
      const lender = part instanceof Uint8Array ? lentBody(part) : undefined;
      const given = lender === undefined ? part : lender.lend(part as Uint8Array);
      this.push(given);
      if (lender !== undefined) lent.push(given as Uint8Array);
    }
  }

  /** Debug mode: parts get memory of their own, which is taken away when they are given back. */
  takeCopies(message: readonly unknown[]): void {
    const lent = this.#lent as Uint8Array[];
    for (const part of message) {
      if (!(part instanceof Uint8Array)) {
        this.push(part);
        continue;
      }
      const memory = new ArrayBuffer(part.length);
      const copy = Buffer.from(memory);
      copy.set(part);
      lentBody(part)?.letGo(part);
      this.push(copy);
      lent.push(copy);
    }
    forgotten ??= new FinalizationRegistry((stack) => {
      log("a borrowed message was never given back (release()); it was borrowed %s", stack);
    });
    forgotten.register(this, new Error("here").stack?.split("\n").slice(3).join("\n") ?? "", this);
  }

  release(): void {
    const lent = this.#lent;
    if (lent === null) return;
    this.#lent = null;
    if (log.enabled) {
      forgotten?.unregister(this);
      for (const part of lent) structuredClone(part.buffer, { transfer: [part.buffer as ArrayBuffer] });
    } else for (const part of lent) lentBody(part)?.letGo(part);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** Makes a received message one that is given back. */
export function borrowed<M>(message: M): Borrowed<M> {
  const lent = new BorrowedMessage();
  // Every socket type receives arrays.
  if (log.enabled) lent.takeCopies(message as readonly unknown[]);
  else lent.take(message as readonly unknown[]);
  return lent as unknown as Borrowed<M>;
}

/** Steps through messages, and gives each back when the next one is asked for. */
export class BorrowingIterator<M> implements AsyncIterableIterator<Borrowed<M>> {
  readonly #messages: AsyncIterator<M, undefined>;
  readonly #lend: (message: M) => Borrowed<M>;
  /**
   * What the loop has: one message, unless it asks for several at once. An array, because clear() gives a Set a new table
   * to which the old one refers: a young collection then finds all tables in use, once the first one is old.
   */
  readonly #given: Borrowed<M>[] = [];
  #left = false;

  constructor(messages: AsyncIterator<M, undefined>, lend: (message: M) => Borrowed<M>) {
    this.#messages = messages;
    this.#lend = lend;
  }

  async next(): Promise<IteratorResult<Borrowed<M>, undefined>> {
    this.#giveBack();
    const step = await this.#messages.next();
    if (step.done === true) return step;
    const message = this.#lend(step.value);
    if (this.#left) message.release();
    else this.#given.push(message);
    return { value: message, done: false };
  }

  async return(): Promise<IteratorResult<Borrowed<M>, undefined>> {
    this.#left = true;
    this.#giveBack();
    await this.#messages.return?.();
    return { value: undefined, done: true };
  }

  #giveBack(): void {
    for (let i = 0; i < this.#given.length; i++) this.#given[i].release();
    this.#given.length = 0;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
