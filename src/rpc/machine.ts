/**
 * State machines as tables: for each state, the events that it expects, each with the next state and what to do then.
 * Whoever runs one stores the next state before it acts: what it does may call handlers and listeners, and they may
 * come back with another event.
 */
import { assert } from "../base/assert.js";

/** What follows an event. */
export interface Row<S extends string, A> {
  readonly to: S;
  /** Null: nothing but the new state. */
  readonly run: A | null;
}

export type Table<S extends string, E extends string, A> = Readonly<
  Record<S, Readonly<Partial<Record<E, Row<S, A>>>>>
>;

/**
 * The row of an event.
 * @throws AssertionError for an event that the state does not expect
 */
export function rowOf<S extends string, E extends string, A>(
  table: Table<S, E, A>,
  state: S,
  event: E,
): Row<S, A> {
  const row = table[state][event];
  // The text is made only when it is needed.
  if (row === undefined) assert(false, `the event "${event}" came in the state "${state}"`);
  return row;
}
