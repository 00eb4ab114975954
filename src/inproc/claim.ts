/** A thread's claim to an inproc name: one word in memory that all threads share. */

/** pending → bound → released; pending → lost (another claim won); pending → released. */
export const ClaimState = { pending: 0, bound: 1, lost: 2, released: 3 } as const;
type ClaimState = (typeof ClaimState)[keyof typeof ClaimState];

/** What is posted to all threads. */
export interface Claim {
  readonly id: string;
  readonly endpoint: string;
  readonly thread: number;
  /** Which copy of zwire in the thread. */
  readonly owner: string;
  /** One word in shared memory. */
  readonly state: Int32Array;
}

/** The state now. Other threads change it too. */
export function stateOf({ state }: Claim): ClaimState {
  return Atomics.load(state, 0) as ClaimState;
}

/** Moves a claim out of `pending`; false where somebody else was first. */
export function settle({ state }: Claim, to: ClaimState): boolean {
  return Atomics.compareExchange(state, 0, ClaimState.pending, to) === ClaimState.pending;
}

/** The name is free again: its thread has let go of it, or has ended. */
export function release({ state }: Claim): void {
  Atomics.store(state, 0, ClaimState.released);
}

/** Which of two pending claims wins: the lower thread's. Two copies of zwire in one thread have different ids. */
export function precedes(one: Claim, other: Claim): boolean {
  return one.thread === other.thread ? one.id < other.id : one.thread < other.thread;
}
