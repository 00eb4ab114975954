/**
 * State machines as tables: for each state the events that may come in it, what the next state is, and what is done
 * then. An event that has no row cannot come in that state. Whoever runs a table stores the next state before it acts:
 * actions call listeners, and these call back.
 */
import { assert } from "./assert.js";

/** The next state, and what is done in it. */
export type Row<State, Machine, Argument> = readonly [
  next: State,
  act?: (machine: Machine, argument: Argument) => void,
];

/** `Events` maps the name of each event to what it brings. */
export type Table<State extends string, Machine, Events> = {
  readonly [S in State]: { readonly [E in keyof Events]?: Row<State, Machine, Events[E]> };
};

/** As Table, for a machine whose actions reach its private parts: a row only names what is done. */
export type NamedTable<State extends string, Event extends string, Action> = {
  readonly [S in State]: { readonly [E in Event]?: readonly [next: State, action?: Action] };
};

/**
 * The row of an event.
 * @throws AssertionError where the table has none
 */
export function rowOf<State extends string, Machine, Events, E extends keyof Events>(
  table: Table<State, Machine, Events>,
  state: State,
  event: E,
): Row<State, Machine, Events[E]>;
export function rowOf<State extends string, Event extends string, Action>(
  table: NamedTable<State, Event, Action>,
  state: State,
  event: Event,
): readonly [next: State, action?: Action];
export function rowOf<R>(
  table: Readonly<Record<string, Readonly<Record<PropertyKey, R | undefined>>>>,
  state: string,
  event: PropertyKey,
): R {
  const row = table[state][event];
  // The text is made only when it is needed.
  if (row === undefined) assert(false, `"${String(event)}" came in the state "${state}"`);
  return row;
}
