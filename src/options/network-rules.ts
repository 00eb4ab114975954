/**
 * Rules for the values of options about tcp, ipc and HTTP, as those of rules.ts.
 */
import { parseAcceptFilter } from "../base/accept-filter.js";
import type { Rule } from "./row.js";
import { checkText, integer, shown, text } from "./rules.js";

const UINT32_MAX = 2 ** 32 - 1;
const INTERFACE_MAX = 15;
const PROXY_MAX = 300;

/** The name of a network device. */
export const device = text(INTERFACE_MAX, "a device name");

const PROXY = /^(?:\[[0-9A-Fa-f:.]+\]|[^\s:/[\]]+):(\d{1,5})$/;

/** The address of a proxy, or null. */
export const hostPort: Rule<string | null> = {
  type: "`host:port` or null",
  check: (name, value) => {
    const checked = checkText(name, value, PROXY_MAX, "host:port");
    const port = checked === null ? 1 : Number(PROXY.exec(checked)?.[1] ?? 0);
    if (port < 1 || port > 65535)
      throw new RangeError(`${name} must be host:port with a port from 1 to 65535; got ${shown(checked)}`);
    return checked;
  },
};

/** Frozen, because it is the default value of all sockets. */
export const NONE: readonly never[] = Object.freeze([]);

/** A list of numbers that the system gives to users, groups or processes. */
export function ids(minimum: number): Rule<readonly number[]> {
  const one = integer(minimum, UINT32_MAX - 1);
  return {
    type: "array of ids",
    check: (name, value) => {
      if (!Array.isArray(value)) throw new TypeError(`${name} must be an array of ids; got ${shown(value)}`);
      return Object.freeze(value.map((id, at) => one(`${name}[${at}]`, id)));
    },
  };
}

const permissions = integer(0, 0o777);

/** Permissions of a file, or null. */
export const fileMode: Rule<number | null> = {
  type: "integer 0 to 0o777, or null",
  check: (name, value) => (value === null ? null : permissions(name, value)),
};

/** A list of networks. A string adds an entry, null removes all, an array replaces them. */
export const networks: Rule<readonly string[] | string | null> = {
  type: "array of networks; a string adds one, null empties it",
  check: (name, value, before) => {
    if (value === null) return NONE;
    const added = Array.isArray(value) ? value : [value];
    for (const one of added) {
      if (typeof one !== "string") {
        throw new TypeError(`${name} must be a string, an array of strings or null; got ${shown(one)}`);
      }
      parseAcceptFilter(one, name);
    }
    return Object.freeze(typeof value === "string" ? [...(before as string[]), value] : [...added]);
  },
};

/** A list of the origins of pages (RFC 6454), in lower case, or null. */
export const origins: Rule<readonly string[] | null> = {
  type: "array of origins such as https://example.com, or null",
  check: (name, value) => {
    if (value === null) return null;
    if (!Array.isArray(value)) throw new TypeError(`${name} must be an array or null; got ${shown(value)}`);
    for (const one of value) {
      if (typeof one !== "string") throw new TypeError(`${name} must contain strings; got ${shown(one)}`);
      if (one !== "null" && !/^[a-z][a-z0-9+.-]*:\/\/[^\s/?#]+$/i.test(one)) {
        throw new RangeError(`${name} must contain origins such as "https://example.com"; got ${shown(one)}`);
      }
    }
    return Object.freeze(value.map((one) => one.toLowerCase()));
  },
};

/** What to compress over ws. */
export interface PerMessageDeflate {
  /** Bytes from which on a part is compressed. Default 1024. */
  readonly threshold?: number;
}

const threshold = integer(0, 2 ** 31 - 1, "bytes");

/** Whether to compress, and what. */
export const deflate: Rule<boolean | PerMessageDeflate> = {
  type: "boolean or `{ threshold }`",
  check: (name, value) => {
    if (typeof value === "boolean") return value;
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new TypeError(`${name} must be true, false or { threshold }; got ${shown(value)}`);
    const [unknown] = Object.keys(value).filter((key) => key !== "threshold");
    if (unknown !== undefined) throw new TypeError(`${name} has no field ${shown(unknown)}, only threshold`);
    const given = (value as PerMessageDeflate).threshold;
    return Object.freeze(given === undefined ? {} : { threshold: threshold(`${name}.threshold`, given) });
  },
};
