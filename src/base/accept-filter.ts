/**
 * Address filters of accepted connections (item R12): parses "192.168.0.0/16" and checks whether it contains an address.
 * Compares addresses as bytes. An IPv4 address mapped into IPv6 counts as the IPv4 address.
 */
import { isIPv4, isIPv6 } from "./platform.js";

/** One range of addresses. */
export interface AddressRange {
  /** Four bytes for IPv4, sixteen for IPv6. */
  readonly network: Uint8Array;
  /** Number of leading bits that are compared. */
  readonly prefix: number;
}

const MAPPED_BITS = 96;

/** The four or sixteen bytes of a numeric address; undefined for anything else, including an address with a zone. */
export function addressBytes(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split("."), Number);
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const dotted = text.lastIndexOf(":") + 1;
  let groups = text;
  if (text.includes(".")) {
    const [a, b, c, d] = text.slice(dotted).split(".").map(Number);
    groups = `${text.slice(0, dotted)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  }
  const [head, tail] = groups.split("::").map((half) => (half === "" ? [] : half.split(":")));
  const missing = tail === undefined ? 0 : 8 - head.length - tail.length;
  const all = [...head, ...new Array<string>(missing).fill("0"), ...(tail ?? [])];
  return Uint8Array.from(
    all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16)]),
  );
}

/** Whether it is an IPv4 address in IPv6's notation (RFC 4291, section 2.5.5.2). */
export function isMapped(bytes: Uint8Array): boolean {
  return bytes.length === 16 && bytes.every((byte, i) => i > 11 || byte === (i < 10 ? 0 : 0xff));
}

/**
 * Parses a numeric address with or without a prefix length: `192.168.0.0/16`, `10.1.2.3`, `::1/128`. Without one, the
 * whole address must match. Bits after the prefix are ignored.
 * @param name what the error message calls the text
 * @throws RangeError for anything else
 */
export function parseAcceptFilter(text: string, name = "accept filter"): AddressRange {
  const [address, length, ...more] = text.split("/");
  const bytes = addressBytes(address);
  if (bytes === undefined || more.length > 0) throw refused(text, name);
  const bits = bytes.length * 8;
  if (length !== undefined && !/^\d{1,3}$/.test(length)) throw refused(text, name);
  const prefix = length === undefined ? bits : Number(length);
  if (prefix > bits) throw refused(text, name);
  if (!isMapped(bytes) || prefix < MAPPED_BITS) return { network: bytes, prefix };
  return { network: bytes.subarray(12), prefix: prefix - MAPPED_BITS };
}

function refused(text: string, name: string): RangeError {
  return new RangeError(
    `${name}: "${text}" is not an address range such as "192.168.0.0/16", "10.1.2.3" or "fe80::/10"`,
  );
}

/** Whether a peer's address, as the system writes it, lies in one of the ranges. */
export function addressMatches(ranges: readonly AddressRange[], address: string): boolean {
  let bytes = addressBytes(address.replace(/%.*$/, ""));
  if (bytes === undefined) return false;
  if (isMapped(bytes)) bytes = bytes.subarray(12);
  return ranges.some((range) => lies(bytes, range));
}

function lies(bytes: Uint8Array, { network, prefix }: AddressRange): boolean {
  if (bytes.length !== network.length) return false;
  const whole = prefix >> 3;
  for (let i = 0; i < whole; i++) if (bytes[i] !== network[i]) return false;
  const rest = prefix & 7;
  return rest === 0 || (bytes[whole] ^ network[whole]) >> (8 - rest) === 0;
}
