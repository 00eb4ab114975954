/**
 * Endpoint strings: `scheme://address`. Only splits them; each transport knows its own addresses.
 */
import { ZmqError } from "./errors.js";

/** An endpoint taken apart. */
export interface Endpoint {
  readonly scheme: string;
  /** What follows `://`. */
  readonly address: string;
}

/** @throws TypeError when it is not a string; ZmqError EINVAL when it is malformed */
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
