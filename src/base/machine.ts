/**
 * State machines as tables: for each state, the events that may occur, the next state and the action. An event without a
 * row must not occur in that state. Code that runs a table must store the next state before it calls the action, because
 * actions call listeners, which may raise the next event.
 */
import { assert } from "./assert.js";

/** The next state, and the action to run then. */
export type Row<State, Machine, Argument> = readonly [
  next: State,
  act?: (machine: Machine, argument: Argument) => void,
];

/** `Events` maps the name of each event to the type of its argument. */
export type Table<State extends string, Machine, Events> = {
  readonly [S in State]: { readonly [E in keyof Events]?: Row<State, Machine, Events[E]> };
};

/** As Table, but rows only name their actions, so that the machine can run them with access to its private members. */
export type NamedTable<State extends string, Event extends string, Action> = {
  readonly [S in State]: { readonly [E in Event]?: readonly [next: State, action?: Action] };
};

/**
 * The row of an event.
 * @throws AssertionError if the table has none
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
  // Build the text only when it is needed.
  if (row === undefined) assert(false, `"${String(event)}" came in the state "${state}"`);
  return row;
}

/** A state together with its rows; see `linked`. */
export type LinkedState<Event extends string, Action> = {
  readonly [E in Event]: LinkedRow<Event, Action> | undefined;
};

export interface LinkedRow<Event extends string, Action> {
  readonly next: LinkedState<Event, Action>;
  readonly action: Action | undefined;
}

/**
 * A table for the hot path, where looking up states and events by name would cost time for each message: a machine holds
 * its state as an object of one shape, and `state.event` is the row.
 * @param events all events of the table
 */
export function linked<State extends string, Event extends string, Action>(
  table: NamedTable<State, Event, Action>,
  events: readonly Event[],
): Readonly<Record<State, LinkedState<Event, Action>>> {
  const names = Object.keys(table) as State[];
  const empty = (): [Event, undefined][] => events.map((event) => [event, undefined]);
  const states = Object.fromEntries(names.map((name) => [name, Object.fromEntries(empty())])) as Record<
    State,
    Record<Event, LinkedRow<Event, Action> | undefined>
  >;
  for (const name of names) {
    for (const event of events) {
      const row = table[name][event];
      if (row !== undefined) states[name][event] = { next: states[row[0]], action: row[1] };
    }
  }
  return states;
}
