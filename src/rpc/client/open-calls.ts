/**
 * The unfinished calls of a client that were sent, by id. Ids contain a counter, which gives each call its place in an
 * array. Only a call that is still open when its place is needed again goes into a Map. A Map for all of them took a third
 * of the time of small calls: V8 rebuilds its table every few dozen calls, and keeps what the old tables held until the
 * next full collection.
 */
import type { IdSource } from "../wire/event.js";
import type { Id } from "../wire/id.js";

interface Entry {
  readonly id: Id;
  /** The counter in its id; set here. */
  number: number;
}

const FIRST_SIZE = 256;
const LARGEST_SIZE = 65536;

interface Slot<C> {
  number: number;
  /** The place of the call in the order in which they came. */
  order: number;
  call: C | null;
}

function slots<C>(count: number): Slot<C>[] {
  return Array.from({ length: count }, () => ({ number: -1, order: 0, call: null }));
}

export class OpenCalls<C extends Entry> {
  readonly #ids: IdSource;
  #slots = slots<C>(FIRST_SIZE);
  /** Calls whose place was taken. */
  readonly #others = new Map<Id, { order: number; call: C }>();
  #order = 0;
  #size = 0;

  /** @param ids the source of all ids */
  constructor(ids: IdSource) {
    this.#ids = ids;
  }

  get size(): number {
    return this.#size;
  }

  add(call: C): void {
    this.#size++;
    call.number = this.#ids.numberOf(call.id);
    this.#put(call.number, this.#order++, call);
  }

  #put(number: number, order: number, call: C): void {
    const slot = this.#slots[number & (this.#slots.length - 1)];
    if (slot.call === null) {
      slot.number = number;
      slot.order = order;
      slot.call = call;
    } else if (this.#slots.length < LARGEST_SIZE && this.#size * 2 > this.#slots.length) {
      this.#grow();
      this.#put(number, order, call);
    } else this.#others.set(call.id, { order, call });
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = slots<C>(old.length * 4);
    for (const { number, order, call } of old) if (call !== null) this.#put(number, order, call);
  }

  /** The call of an id. The id comes from a peer and may be anything. */
  get(id: Id): C | undefined {
    const number = this.#ids.numberOf(id);
    if (number === -1) return undefined;
    const slot = this.#slots[number & (this.#slots.length - 1)];
    if (slot.call !== null && slot.number === number) return slot.call;
    return this.#others.size === 0 ? undefined : this.#others.get(id)?.call;
  }

  /** Returns false if the call is not here. */
  delete(call: C): boolean {
    const slot = this.#slots[call.number & (this.#slots.length - 1)];
    if (slot.call === call) slot.call = null;
    else if (this.#others.get(call.id)?.call !== call || !this.#others.delete(call.id)) return false;
    this.#size--;
    return true;
  }

  /** All calls as they are now, in the order in which they came. */
  all(): C[] {
    const found = [...this.#others.values()];
    for (const { order, call } of this.#slots) if (call !== null) found.push({ order, call });
    return found.sort((a, b) => a.order - b.order).map(({ call }) => call);
  }
}
