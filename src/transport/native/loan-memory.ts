/** Memory of the addon that peers can map for reading. */
import type { LoanMemory } from "../contract/transport.js";
import type { Addon, NativePool } from "./addon.js";

export class NativeLoanMemory implements LoanMemory {
  readonly memory: ArrayBuffer;
  readonly pool: NativePool;

  readonly #native: Addon;

  private constructor(native: Addon, pool: NativePool, memory: ArrayBuffer) {
    this.#native = native;
    this.pool = pool;
    this.memory = memory;
  }

  /** undefined if it cannot be had. */
  static make(native: Addon, bytes: number): NativeLoanMemory | undefined {
    const pool = new native.Pool(bytes);
    const memory = pool.view(0, bytes);
    if (memory === undefined) pool.close();
    return memory === undefined ? undefined : new NativeLoanMemory(native, pool, memory);
  }

  view(offset: number, bytes: number): ArrayBuffer | undefined {
    return this.pool.view(offset, bytes);
  }

  detach(view: ArrayBuffer): void {
    this.#native.detach(view);
  }

  close(): void {
    this.pool.close();
  }
}
