/**
 * The security settings of a socket: one object, or single options with the names of zeromq.js. Settings that
 * contradict each other are refused when they are set. Missing ones are refused when the socket binds or connects. No
 * error text contains a secret.
 */

import type { EventLoop } from "../base/deadline.js";
import { ZmqError } from "../base/errors.js";
import { hiding } from "../base/hiding.js";
import { Buffer } from "../base/platform.js";
import type { Security } from "../wire/zmtp/mechanisms/security.js";
import type { Authenticator } from "./authenticator.js";
import { type Authenticate, CallbackAuthenticator } from "./callback.js";
import { type CurveKey, parseKey } from "./crypto/keys.js";
import { publicKeyOf } from "./crypto/x25519.js";
import { z85Decode, z85Encode } from "./crypto/z85.js";
import { CurveClient, CurveServer, PlainClient } from "./roles.js";
import type { TlsSettings } from "./tls/settings.js";

/**
 * The security of a socket in one value. `domain` is the ZAP domain. If a server has it, or has the mechanism "plain",
 * the ZAP handler or the function `authenticate` decides about each peer. A key is 32 bytes, or 40 characters of Z85.
 * `publicKey` may be left out, because it is derived from `secretKey`.
 */
export type SecuritySettings =
  | { readonly mechanism: "null"; readonly domain?: string }
  | { readonly mechanism: "plain"; readonly server: true; readonly domain?: string }
  | {
      readonly mechanism: "plain";
      readonly server?: false;
      readonly username: string;
      readonly password: string;
      readonly domain?: never;
    }
  | {
      readonly mechanism: "curve";
      readonly server: true;
      readonly publicKey?: CurveKey;
      readonly secretKey: CurveKey;
      readonly domain?: string;
    }
  | {
      readonly mechanism: "curve";
      readonly server?: false;
      readonly serverKey: CurveKey;
      readonly publicKey?: CurveKey;
      readonly secretKey: CurveKey;
      readonly domain?: never;
    };

/** The same as single options. Keys are Z85 text. */
export interface SecurityFields {
  plainServer: boolean;
  plainUsername: string | null;
  plainPassword: string | null;
  curveServer: boolean;
  curvePublicKey: string | null;
  curveSecretKey: string | null;
  curveServerKey: string | null;
  zapDomain: string;
}

/** All options about security. */
export interface SecurityValues extends SecurityFields {
  zapEnforceDomain: boolean;
  authenticate: Authenticate | null;
  authenticateTimeout: number;
  tls: TlsSettings | null;
  /** Derived by secure(): how connections of the next bind or connect are secured. */
  security: Security;
  /** Derived by secure(): decides about their peers; null lets every peer in. */
  authenticator: Authenticator | null;
}

/** No security: every peer may connect, and nothing is encrypted. */
export const OPEN: Security = Object.freeze({ mechanism: "NULL", ask: false });

const UNSET: Readonly<SecurityFields> = Object.freeze({
  plainServer: false,
  plainUsername: null,
  plainPassword: null,
  curveServer: false,
  curvePublicKey: null,
  curveSecretKey: null,
  curveServerKey: null,
  zapDomain: "",
});

/** The options that `security` sets together. */
export const SECURITY_FIELDS = Object.keys(UNSET) as readonly (keyof SecurityFields)[];

type Name = keyof SecurityFields | "authenticate";

const PLAIN: readonly Name[] = ["plainServer", "plainUsername", "plainPassword"];
const CURVE: readonly Name[] = ["curveServer", "curvePublicKey", "curveSecretKey", "curveServerKey"];
const ROLE = "a socket is either server or client";
const DECIDES = "only a server decides which peers may connect";

/** Options that exclude each other, and why. */
const EXCLUSIVE: readonly (readonly [readonly Name[], readonly Name[], why: string])[] = [
  [PLAIN, CURVE, "a socket has one mechanism"],
  [["plainServer"], ["plainUsername", "plainPassword"], ROLE],
  [["curveServer"], ["curveServerKey"], ROLE],
  [["plainUsername", "plainPassword", "curveServerKey"], ["zapDomain", "authenticate"], DECIDES],
];

function isSet(values: Readonly<SecurityValues>, name: Name): boolean {
  const value = values[name];
  if (name === "zapDomain") return value !== "";
  return value !== undefined && value !== null && value !== false; // an empty password counts as set, too
}

/** Two settings that exclude each other, or null. If `changed` is given, only pairs with that option count. */
function contradiction(values: SecurityValues, changed?: Name): [one: Name, other: Name, why: string] | null {
  for (const [left, right, why] of EXCLUSIVE) {
    const one = left.filter((name) => isSet(values, name));
    const other = right.filter((name) => isSet(values, name));
    if (one.length === 0 || other.length === 0) continue;
    if (changed === undefined || one.includes(changed)) return [changed ?? one[0], other[0], why];
    if (other.includes(changed)) return [changed, one[0], why];
  }
  return null;
}

/**
 * Stores one checked option.
 * @throws TypeError if it contradicts another option that is set
 */
export function setSecurityOption(values: SecurityValues, name: string, value: unknown): void {
  const found = contradiction({ ...values, ...secretsOf(values), [name]: value }, name as Name);
  if (found !== null) {
    const [one, other, why] = found;
    throw new TypeError(`${one} contradicts ${other}: ${why}; unset ${other} first`);
  }
  (values as unknown as Record<string, unknown>)[name] = value;
}

/** The secrets. They are not enumerable in `values`, so a spread leaves them out. */
function secretsOf({ plainPassword, curveSecretKey }: SecurityValues): Partial<SecurityFields> {
  return { plainPassword, curveSecretKey };
}

/**
 * Stores a checked `security`. It replaces all options of SECURITY_FIELDS.
 * @throws TypeError if it contradicts `authenticate`
 */
export function setSecurity(values: SecurityValues, _name: string, fields: unknown): void {
  const found = contradiction({ ...values, ...(fields as SecurityFields) });
  if (found !== null)
    throw new TypeError(`security contradicts ${found[1]}: ${found[2]}; unset ${found[1]} first`);
  Object.assign(values, fields);
}

// The object `security`

const FIELDS: Record<string, readonly string[]> = {
  null: ["domain"],
  plain: ["server", "username", "password", "domain"],
  curve: ["server", "serverKey", "publicKey", "secretKey", "domain"],
};

/**
 * Checks a `security` object.
 * @throws TypeError, RangeError naming the field
 */
export function parseSecurity(name: string, value: unknown): SecurityFields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(
      `${name} must be an object with a mechanism; got ${value === null ? "null" : typeof value}`,
    );
  }
  const given = value as Record<string, unknown>;
  const mechanism = given.mechanism as string;
  const known =
    typeof mechanism === "string" && Object.hasOwn(FIELDS, mechanism) ? FIELDS[mechanism] : undefined;
  if (known === undefined) throw new TypeError(`${name}.mechanism must be "null", "plain" or "curve"`);
  for (const field of Object.keys(given)) {
    if (field !== "mechanism" && !known.includes(field))
      throw new TypeError(`${name} with mechanism "${mechanism}" has no field "${field}"`);
  }
  const { server = false } = given;
  if (typeof server !== "boolean")
    throw new TypeError(`${name}.server must be true or false; got ${typeof server}`);
  const fields: SecurityFields = { ...UNSET };
  if (given.domain !== undefined) fields.zapDomain = domainOf(`${name}.domain`, given.domain);
  if (mechanism === "plain") parsePlain(name, given, server, fields);
  if (mechanism === "curve") parseCurve(name, given, server, fields);
  return fields;
}

/** Refuses fields that do not fit the role. @throws TypeError if one of them is given */
function exclude(
  name: string,
  given: Record<string, unknown>,
  role: string,
  fields: readonly string[],
): void {
  const present = fields.find((field) => given[field] !== undefined);
  if (present !== undefined) throw new TypeError(`${name}.${present} contradicts ${role}: ${ROLE}`);
}

function parsePlain(
  name: string,
  given: Record<string, unknown>,
  server: boolean,
  fields: SecurityFields,
): void {
  fields.plainServer = server;
  if (server) {
    exclude(name, given, `${name}.server`, ["username", "password"]);
    return;
  }
  exclude(name, given, "a client", ["domain"]);
  fields.plainUsername = credential(`${name}.username`, given.username) as string;
  fields.plainPassword = credential(`${name}.password`, given.password) as string;
  if (fields.plainUsername === null || fields.plainPassword === null) {
    throw new TypeError(`${name}.username and ${name}.password must be strings`);
  }
}

function parseCurve(
  name: string,
  given: Record<string, unknown>,
  server: boolean,
  fields: SecurityFields,
): void {
  fields.curveServer = server;
  if (server) exclude(name, given, `${name}.server`, ["serverKey"]);
  else exclude(name, given, "a client", ["domain"]);
  const secret = parseKey(`${name}.secretKey`, given.secretKey);
  fields.curveSecretKey = z85Encode(secret);
  if (!server) fields.curveServerKey = z85Encode(parseKey(`${name}.serverKey`, given.serverKey));
  if (given.publicKey === undefined) return;
  const publicKey = parseKey(`${name}.publicKey`, given.publicKey);
  if (!publicKey.equals(publicKeyOf(secret))) {
    throw new TypeError(`${name}.publicKey contradicts ${name}.secretKey: they do not belong together`);
  }
  fields.curvePublicKey = z85Encode(publicKey);
}

/** The current settings in the form of `security`. The secrets are not enumerable. */
export function describeSecurity(values: SecurityValues): SecuritySettings {
  const domain = values.zapDomain === "" ? {} : { domain: values.zapDomain };
  const mechanism = mechanismOf(values) ?? "null";
  if (mechanism === "null") return Object.freeze({ mechanism, ...domain });
  const server = values.plainServer || values.curveServer;
  if (mechanism === "plain") {
    if (server) return Object.freeze({ mechanism, server, ...domain } as SecuritySettings);
    const client = { mechanism, server, username: values.plainUsername };
    return hiding(client, { password: values.plainPassword }) as unknown as SecuritySettings;
  }
  const serverKey = values.curveServerKey === null ? {} : { serverKey: values.curveServerKey };
  const publicKey = values.curvePublicKey === null ? {} : { publicKey: values.curvePublicKey };
  const curve = { mechanism, server, ...serverKey, ...publicKey, ...domain };
  return hiding(curve, { secretKey: values.curveSecretKey }) as unknown as SecuritySettings;
}

// Single options

/** Checks a user name or password; null for none. @throws TypeError, RangeError */
export function credential(name: string, value: unknown): string | null {
  if (value === null) return null;
  // O1: at most 255 bytes; may be empty.
  if (typeof value !== "string") throw new TypeError(`${name} must be a string or null; got ${typeof value}`);
  if (Buffer.byteLength(value) > 255)
    throw new RangeError(`${name} must have at most 255 bytes; got ${Buffer.byteLength(value)}`);
  return value;
}

/** Checks a ZAP domain. @throws TypeError, RangeError */
export function domainOf(name: string, value: unknown): string {
  if (typeof value !== "string") {
    throw new TypeError(`${name} must be a string; got ${value === null ? "null" : typeof value}`);
  }
  if (Buffer.byteLength(value) > 255)
    throw new RangeError(`${name} must have at most 255 bytes; got ${Buffer.byteLength(value)}`);
  return value;
}

/** A key as Z85 text, or null for none. @throws TypeError, RangeError */
export function keyText(name: string, value: unknown): string | null {
  return value === null ? null : z85Encode(parseKey(name, value));
}

// What follows from the settings

/** The mechanism that the settings ask for, even if some of its settings are missing. null for NULL. */
export function mechanismOf(values: SecurityValues): null | "plain" | "curve" {
  if (PLAIN.some((name) => isSet(values, name))) return "plain";
  return CURVE.some((name) => isSet(values, name)) ? "curve" : null;
}

function missing(detail: string): ZmqError {
  return new ZmqError("EINVAL", { detail });
}

/**
 * Derives `values.security` and `values.authenticator` from the settings, for the connections of the next bind or
 * connect.
 * @param zap makes the authenticator that asks the ZAP handler
 * @param raw whether connections have no handshake (STREAM)
 * @param loop the event loop for the time limit of `authenticate`
 * @throws ZmqError EINVAL naming what is missing
 */
export function secure(
  values: SecurityValues,
  zap: () => Authenticator,
  raw: boolean,
  loop: EventLoop,
): void {
  const security = roleOf(values);
  if (values.zapEnforceDomain && values.zapDomain === "") throw missing("zapEnforceDomain needs zapDomain");
  const asks = ("ask" in security && security.ask) || (security.mechanism === "PLAIN" && security.server);
  if (raw && (security.mechanism !== "NULL" || asks)) {
    throw missing("a Stream cannot be secured: its connections have no handshake");
  }
  values.security = security;
  const { authenticate, authenticateTimeout } = values;
  if (!asks) values.authenticator = null;
  else if (authenticate === null) values.authenticator = zap();
  else values.authenticator = new CallbackAuthenticator(authenticate, authenticateTimeout, loop);
}

/**
 * For transports without a handshake: refuses settings that would let the program believe that it is secured.
 * @throws ZmqError EINVAL
 */
export function requireUnsecured(values: SecurityValues, scheme: string): void {
  if (roleOf(values).mechanism === "NULL" && values.zapDomain === "" && values.authenticate === null) return;
  throw missing(`${scheme} cannot be secured: anybody can send datagrams, and they are not encrypted`);
}

function roleOf(values: SecurityValues): Security {
  const mechanism = mechanismOf(values);
  if (mechanism === "plain") return plainRole(values);
  if (mechanism === "curve") return curveRole(values);
  // Q10: NULL asks only with a domain or an `authenticate` function.
  return values.zapDomain !== "" || values.authenticate !== null ? { mechanism: "NULL", ask: true } : OPEN;
}

function plainRole({ plainServer, plainUsername, plainPassword }: SecurityValues): Security {
  if (plainServer) return { mechanism: "PLAIN", server: true };
  if (plainUsername === null) throw missing("plainPassword needs plainUsername");
  if (plainPassword === null) throw missing("plainUsername needs plainPassword");
  return new PlainClient(plainUsername, plainPassword);
}

function curveRole({
  curveServer,
  curvePublicKey,
  curveSecretKey,
  curveServerKey,
}: SecurityValues): Security {
  if (!curveServer && curveServerKey === null) {
    throw missing("CURVE needs curveServerKey on a client, or curveServer: true on a server");
  }
  if (curveSecretKey === null) {
    throw missing(`${curveServer ? "curveServer" : "curveServerKey"} needs curveSecretKey`);
  }
  const secretKey = z85Decode(curveSecretKey);
  const publicKey = publicKeyOf(secretKey);
  if (curvePublicKey !== null && !publicKey.equals(z85Decode(curvePublicKey))) {
    throw missing("curvePublicKey and curveSecretKey do not belong together");
  }
  if (curveServerKey === null) return new CurveServer(publicKey, secretKey);
  return new CurveClient(publicKey, secretKey, z85Decode(curveServerKey));
}
