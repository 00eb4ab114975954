/**
 * The table of options: what follows from the groups of rows in groups.ts.
 */
import { GROUPS } from "./groups.js";
import { type Group, type Row, SOCKET_TYPES, type SocketType } from "./row.js";

type Groups = typeof GROUPS;
type Fields<G> = G extends Group<SocketType, infer F> ? F : never;
type Of<G, Type> = G extends Group<infer Types, infer F> ? (Type extends Types ? F : never) : never;
type Intersection<Union> = (Union extends unknown ? (member: Union) => void : never) extends (
  all: infer All,
) => void
  ? All
  : never;

/** The options of a socket type as constructor fields. */
export type FieldsOf<Type extends SocketType> = Intersection<
  { [G in keyof Groups]: Of<Groups[G], Type> }[keyof Groups]
>;

/** The options of all socket types as constructor fields. */
export type AllFields = Intersection<Fields<Groups[keyof Groups]>>;

/** Name of an option. */
export type OptionName = { [G in keyof Groups]: keyof Fields<Groups[G]> }[keyof Groups];

/** Rows of the chosen groups by name. If two groups have the same option, their rows differ only in text and type. */
export function rowsOf(groups: readonly Group[]): Readonly<Record<string, Row>> {
  const rows: Record<string, Row> = {};
  for (const one of groups) for (const [name, row] of Object.entries(one.rows)) rows[name] ??= row;
  return rows;
}

/** Names of the options that a socket type has. */
export function namesOf(type: SocketType, groups: readonly Group[]): readonly string[] {
  return Object.keys(rowsOf(groups.filter(({ types }) => types.includes(type))));
}

/** Defaults of a socket type that differ from the common ones. */
export function ownDefaults(type: SocketType, groups: readonly Group[]): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [name, { initialOf }] of Object.entries(rowsOf(groups))) {
    if (initialOf !== undefined && Object.hasOwn(initialOf, type)) found[name] = initialOf[type];
  }
  return found;
}

const ALL: readonly Group[] = Object.values(GROUPS);

/** Every row by name. */
export const ROWS = rowsOf(ALL) as Readonly<Record<OptionName, Row>>;

/** Names of the options of a socket type. */
export function optionsOf(type: SocketType): readonly OptionName[] {
  return namesOf(type, ALL) as readonly OptionName[];
}

const DEFAULTS: ReadonlyMap<string, object> = new Map(
  SOCKET_TYPES.map((type) => [type, ownDefaults(type, ALL)]),
);

/** Defaults of a socket type that differ from those of the others. */
export function defaultsOf(type: string): object {
  return DEFAULTS.get(type) ?? {};
}
