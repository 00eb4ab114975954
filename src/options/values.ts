/**
 * Creates, sets, reads and shows the option values of one socket.
 */

import { HIDDEN } from "../base/hiding.js";
import { inspect } from "../base/platform.js";
import { SECURITY_FIELDS } from "../security/settings.js";
import type { OptionName, OptionValues } from "./options.js";
import { ROWS } from "./table.js";

/** Secret options, which must not be printed with the others. */
const SECRETS: readonly OptionName[] = ["plainPassword", "curveSecretKey"];

/** Options whose values nobody may see. */
export const UNSHOWN: readonly OptionName[] = [...SECRETS, "socksPassword"];

/**
 * Their values, stored separately, so that the copy of the options for a connection contains only what is derived from
 * them.
 */
const secrets = new WeakMap<object, Map<OptionName, unknown>>();

/** The values as printed. */
function shown(this: Record<string, unknown>): object {
  const hidden = UNSHOWN.map((name) => [name, this[name] === null ? null : HIDDEN]);
  return { ...this, ...Object.fromEntries(hidden) };
}

function secretProperty(name: OptionName): PropertyDescriptor {
  return {
    get(this: object) {
      return secrets.get(this)?.get(name) ?? null;
    },
    set(this: object, value: unknown) {
      const own = secrets.get(this) ?? new Map<OptionName, unknown>();
      secrets.set(this, own.set(name, value));
    },
  };
}

const GUARDED = Object.create(Object.prototype, {
  toJSON: { value: shown },
  [inspect.custom]: { value: shown },
  ...Object.fromEntries(SECRETS.map((name) => [name, secretProperty(name)])),
});

/**
 * All names with their defaults. Created with JSON.parse, because V8 turns an object that gets so many properties one by
 * one, by computed names, into a hash table: each read then takes 10 ns instead of 1, and the hot path reads several
 * options per message.
 */
function template(): Record<string, unknown> {
  const names = [
    ...(Object.keys(ROWS) as OptionName[]).filter((name) => !SECRETS.includes(name)),
    "authenticator",
  ];
  const values = JSON.parse(JSON.stringify(Object.fromEntries(names.map((name) => [name, 0]))));
  for (const name of names) values[name] = name === "authenticator" ? null : ROWS[name as OptionName].initial;
  return values;
}

let defaults: Record<string, unknown> | undefined;

/**
 * A new set of values: the defaults. All sockets must share one object shape (hidden class), which keeps reads on the hot
 * path cheap. A property or prototype set later would give each object its own shape, and with a thousand sockets every
 * read then missed V8's caches.
 */
export function defaultOptions(): OptionValues {
  defaults ??= template();
  return { __proto__: GUARDED, ...defaults } as unknown as OptionValues;
}

/**
 * The options as they are now, for the connections of one endpoint. Only `tls` stays the socket's own: a certificate may be
 * renewed while the endpoint is in use.
 */
export function optionsNow(values: OptionValues): OptionValues {
  return Object.defineProperty({ ...values }, "tls", { get: () => values.tls, enumerable: true });
}

/** Checks and stores one option; returns whether it takes effect at once. */
export function setOption(values: OptionValues, name: OptionName, value: unknown): boolean {
  const rule = ROWS[name];
  const store = values as unknown as Record<string, unknown>;
  const checked = rule.check(name, value, store[name]);
  if (rule.store === undefined) store[name] = checked;
  else rule.store(values, name, checked);
  return rule.live;
}

/** The value of one option as the application reads it. */
export function readOption(values: OptionValues, name: OptionName): unknown {
  const { read } = ROWS[name];
  return read === undefined ? values[name] : read(values);
}

/** @throws TypeError for constructor fields that set the same thing twice */
export function checkFields(fields: ReadonlyMap<string, unknown>): void {
  const { onFull, noDrop } = Object.fromEntries(fields);
  if (typeof onFull === "string" && typeof noDrop === "boolean" && noDrop !== (onFull === "wait")) {
    throw new TypeError(`noDrop: ${noDrop} contradicts onFull: "${onFull}": give one of them`);
  }
  if (fields.get("security") === undefined) return;
  const other = SECURITY_FIELDS.find((name) => fields.get(name) !== undefined);
  if (other !== undefined) throw new TypeError(`security and ${other} cannot be combined: give one of them`);
}
