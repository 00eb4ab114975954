/** A thread's claim to an inproc name. Its state is one word in memory that all threads share. */

/** Transitions: pending → bound → released; pending → lost (another claim won); pending → released. */
export const ClaimState = { pending: 0, bound: 1, lost: 2, released: 3 } as const;
type ClaimState = (typeof ClaimState)[keyof typeof ClaimState];

/** A claim, as it is posted to all threads. */
export interface Claim {
  readonly id: string;
  readonly endpoint: string;
  readonly thread: number;
  /** The copy of zwire in the thread, because there may be several. */
  readonly owner: string;
  /** The state: one word in shared memory. */
  readonly state: Int32Array;
}

/** The current state. Other threads may change it at any time. */
export function stateOf({ state }: Claim): ClaimState {
  return Atomics.load(state, 0) as ClaimState;
}

/** Moves a claim from `pending` to another state. False if another thread did so first. */
export function settle({ state }: Claim, to: ClaimState): boolean {
  return Atomics.compareExchange(state, 0, ClaimState.pending, to) === ClaimState.pending;
}

/** Frees the name, because its thread has unbound it or has ended. */
export function release({ state }: Claim): void {
  Atomics.store(state, 0, ClaimState.released);
}

/**
 * Whether the first of two pending claims wins: the lower thread does. Within one thread (two copies of zwire) the id
 * decides.
 */
export function precedes(one: Claim, other: Claim): boolean {
  return one.thread === other.thread ? one.id < other.id : one.thread < other.thread;
}
