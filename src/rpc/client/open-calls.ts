/**
 * The calls of a client that are sent and not over, by id. The ids count, so a call's place follows from its number, and
 * only one that is still open when the numbers come round has to be looked up. A Map in its place is rebuilt every few
 * dozen calls, and V8 keeps what the old tables held until the next full collection: it took a third of the time
 * of small calls. Knows nothing of what a call is but its id.
 */
import type { IdSource } from "../wire/event.js";
import type { Id } from "../wire/id.js";

interface Entry {
  readonly id: Id;
  /** Of its id; set here. */
  number: number;
}

const FIRST_SIZE = 256;
const LARGEST_SIZE = 65536;

interface Slot<C> {
  number: number;
  /** Counts calls in the order in which they came. */
  order: number;
  call: C | null;
}

function slots<C>(count: number): Slot<C>[] {
  return Array.from({ length: count }, () => ({ number: -1, order: 0, call: null }));
}

export class OpenCalls<C extends Entry> {
  readonly #ids: IdSource;
  #slots = slots<C>(FIRST_SIZE);
  /** Those whose place was taken. */
  readonly #others = new Map<Id, { order: number; call: C }>();
  #order = 0;
  #size = 0;

  /** @param ids where all ids come from */
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

  /** The call of an id, which may be any that somebody has sent. */
  get(id: Id): C | undefined {
    const number = this.#ids.numberOf(id);
    if (number === -1) return undefined;
    const slot = this.#slots[number & (this.#slots.length - 1)];
    if (slot.call !== null && slot.number === number) return slot.call;
    return this.#others.size === 0 ? undefined : this.#others.get(id)?.call;
  }

  /** False when it is not here. */
  delete(call: C): boolean {
    const slot = this.#slots[call.number & (this.#slots.length - 1)];
    if (slot.call === call) slot.call = null;
    else if (this.#others.get(call.id)?.call !== call || !this.#others.delete(call.id)) return false;
    this.#size--;
    return true;
  }

  /** All of them as they are now, in the order in which they came. */
  all(): C[] {
    const found = [...this.#others.values()];
    for (const { order, call } of this.#slots) if (call !== null) found.push({ order, call });
    return found.sort((a, b) => a.order - b.order).map(({ call }) => call);
  }
}
