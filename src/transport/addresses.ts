/**
 * Addresses of tcp and udp: `host:port`, `*`, `[v6]:port` and names of interfaces (items R1 to R8).
 */
import { lookup } from "node:dns/promises";
import { isIP, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { addressBytes, isMapped } from "../base/accept-filter.js";
import { ZmqError } from "../base/errors.js";

/** A host and a port of an address. */
export interface HostPort {
  readonly host: string;
  /** 0 for a wildcard. */
  readonly port: number;
}

// `endpoint`, below, is the whole endpoint, for error texts.

/** The error for an address that cannot be right. */
export function invalid(endpoint: string, detail: string): ZmqError {
  return new ZmqError("EINVAL", { address: endpoint, detail });
}

/** The parts of `host:port`. @throws ZmqError EINVAL */
export function parseHostPort(text: string, endpoint: string): HostPort {
  const colon = text.lastIndexOf(":");
  if (colon <= 0) throw invalid(endpoint, `"${text}" does not have the form host:port`);
  const portText = text.slice(colon + 1);
  let host = text.slice(0, colon);
  if (host.startsWith("[") && host.endsWith("]")) host = host.slice(1, -1);
  if (host === "" || /[\s/[\];]/.test(host)) throw invalid(endpoint, `"${host}" is not a valid host`);
  if (portText === "*") return { host, port: 0 };
  const port = Number(portText);
  if (!/^\d{1,5}$/.test(portText) || port > 65535)
    throw invalid(endpoint, `"${portText}" is not a port: use 0 to 65535, or * to bind any`); // R8
  return { host, port };
}

/**
 * Our numeric address for `*`, an address or the name of an interface. undefined for any other name: it needs a
 * look-up.
 * @throws ZmqError ENODEV, EINVAL
 */
export function numericLocal(host: string, ipv6: boolean, endpoint: string): string | undefined {
  if (host === "*") return ipv6 ? "::" : "0.0.0.0";
  if (isIP(host) !== 0) return checkFamily(host, ipv6, endpoint);
  const addresses = networkInterfaces()[host];
  if (addresses === undefined) return undefined;
  const usable = addresses.find((one) => one.family === "IPv4") ?? (ipv6 ? addresses[0] : undefined);
  if (usable !== undefined) return usable.address;
  throw noDevice(
    endpoint,
    `interface "${host}" has no IPv4 address (with ipv6: true an IPv6 address will do)`,
  );
}

/** Our numeric address to bind. Names are looked up. @throws ZmqError ENODEV, EINVAL */
export async function localAddress(host: string, ipv6: boolean, endpoint: string): Promise<string> {
  const numeric = numericLocal(host, ipv6, endpoint);
  if (numeric !== undefined) return numeric;
  try {
    return (await lookup(host, { family: ipv6 ? 0 : 4 })).address;
  } catch (cause) {
    throw noDevice(endpoint, `cannot look up "${host}"`, cause); // R3
  }
}

/** The error for an address that this host does not have. */
export function noDevice(endpoint: string, detail: string, cause?: unknown): ZmqError {
  return new ZmqError("ENODEV", { address: endpoint, cause, detail });
}

/**
 * The address in a form that the option `ipv6` allows: without it, an IPv4 address in IPv6's notation becomes plain
 * IPv4.
 * @throws ZmqError EINVAL for any other IPv6 address without the option
 */
export function checkFamily(host: string, ipv6: boolean, endpoint: string): string {
  if (ipv6 || !isIPv6(host)) return host;
  const bytes = addressBytes(host);
  if (bytes !== undefined && isMapped(bytes)) return bytes.subarray(12).join(".");
  throw invalid(endpoint, "an IPv6 address needs the option ipv6: true"); // R5
}
