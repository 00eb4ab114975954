/**
 * Splits endpoint strings, `scheme://address`. Each transport parses its own addresses.
 */
import { ZmqError } from "./errors.js";

/** The parts of an endpoint. */
export interface Endpoint {
  readonly scheme: string;
  /** What follows `://`. */
  readonly address: string;
}

/** @throws TypeError if it is not a string; ZmqError EINVAL if it is malformed */
export function parseEndpoint(endpoint: unknown): Endpoint {
  if (typeof endpoint !== "string") throw new TypeError(`endpoint must be a string; got ${typeof endpoint}`);
  const at = endpoint.indexOf("://");
  if (at <= 0 || at + 3 === endpoint.length) {
    throw new ZmqError("EINVAL", {
      address: endpoint,
      detail: `"${endpoint}" does not have the form scheme://address`,
    });
  }
  const scheme = endpoint.slice(0, at);
  const address = endpoint.slice(at + 3);
  if (address.includes("\0")) {
    throw new ZmqError("EINVAL", { address: endpoint, detail: "an endpoint may not contain NUL" });
  }
  return { scheme, address };
}

/** An address of a connection over tcp, whatever is on top of it: `tcp://host:port`, `tls+tcp://[::1]:port`, `ws://host:port`. */
const CONNECTION = /^(?:(?:[a-z]+\+)?tcp|wss?):\/\/(?:\[(.+)\]|([^[\]]+)):\d+$/;

/** The host of a connection over tcp, without brackets; undefined for other transports. */
export function hostOf(address: string): string | undefined {
  const found = CONNECTION.exec(address);
  return found?.[1] ?? found?.[2];
}
