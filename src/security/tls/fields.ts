/** Checks for the fields of the option `tls`: each throws a TypeError or RangeError that names the field. */
import { Buffer } from "../../base/platform.js";

type Check = (name: string, value: unknown) => void;

/** No value in the text: it may be a secret. */
function kindOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "an array" : typeof value;
}

const isBytes = (value: unknown): boolean => typeof value === "string" || value instanceof Uint8Array;

const bytes: Check = (name, value) => {
  if (!isBytes(value)) throw new TypeError(`${name} must be a string or Uint8Array; got ${kindOf(value)}`);
};

const material: Check = (name, value) => {
  if (Array.isArray(value) ? value.every(isBytes) : isBytes(value)) return;
  throw new TypeError(`${name} must be a string, Uint8Array or an array of them; got ${kindOf(value)}`);
};

const text: Check = (name, value) => {
  if (typeof value !== "string") throw new TypeError(`${name} must be a string; got ${kindOf(value)}`);
};

const flag: Check = (name, value) => {
  if (typeof value !== "boolean") throw new TypeError(`${name} must be true or false; got ${kindOf(value)}`);
};

const callback: Check = (name, value) => {
  if (typeof value !== "function") throw new TypeError(`${name} must be a function; got ${kindOf(value)}`);
};

const VERSIONS: readonly unknown[] = ["TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1"];

const version: Check = (name, value) => {
  if (VERSIONS.includes(value)) return;
  const Fault = typeof value === "string" ? RangeError : TypeError;
  throw new Fault(`${name} must be one of ${VERSIONS.join(", ")}`);
};

const protocols: Check = (name, value) => {
  if (!Array.isArray(value) || !value.every((one) => typeof one === "string")) {
    throw new TypeError(`${name} must be an array of strings; got ${kindOf(value)}`);
  }
  const fits = value.every((one) => one.length > 0 && Buffer.byteLength(one) <= 255);
  if (!fits || value.length === 0) {
    throw new RangeError(`${name} must have at least one protocol, each of 1 to 255 bytes`);
  }
};

const named: Check = (name, value) => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(`${name} must be an object of certificates by server name; got ${kindOf(value)}`);
  }
};

/** The fields of each of `contexts`. */
export const CONTEXT_CHECKS: Readonly<Record<string, Check>> = {
  cert: material,
  key: material,
  passphrase: text,
  pfx: bytes,
  ca: material,
  crl: material,
};

/** The fields of `tls`. */
export const OPTION_CHECKS: Readonly<Record<string, Check>> = {
  ...CONTEXT_CHECKS,
  minVersion: version,
  maxVersion: version,
  ciphers: text,
  ALPNProtocols: protocols,
  requestCert: flag,
  rejectUnauthorized: flag,
  servername: text,
  checkServerIdentity: callback,
  contexts: named,
  SNICallback: callback,
};
