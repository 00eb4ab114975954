/**
 * What to do when an endpoint cannot be bound. The system says only "EADDRINUSE"; an error of zwire names the endpoint, and what
 * helps. zwire/zeromq has the texts of zeromq.js.
 */
import { ZmqError } from "../base/errors.js";

/** The last port that the system keeps for itself. */
const SYSTEM_PORTS = 1023;

/** The error with a reason, if it has none. */
export function explained(error: ZmqError): ZmqError {
  const { code, address, cause } = error;
  if (address === undefined || error.message.includes(": ")) return error;
  const detail = adviceOn(code, address);
  return detail === undefined ? error : new ZmqError(code, { address, cause, detail });
}

function adviceOn(code: string, endpoint: string): string | undefined {
  const [scheme, rest] = endpoint.split("://");
  if (scheme === "inproc" || rest === undefined) return undefined;
  return scheme === "ipc" ? aboutPath(code, endpoint, rest) : aboutAddress(code, endpoint, rest);
}

function aboutPath(code: string, endpoint: string, path: string): string | undefined {
  const slash = path.lastIndexOf("/");
  if (path === "*") {
    return `${endpoint} makes its folder in the one that TMPDIR names (or else TEMPDIR, TMP), where that is not possible`;
  }
  const folder = slash < 0 ? "." : path.slice(0, slash) || "/";
  switch (code) {
    case "EADDRINUSE":
      return `another socket listens on ${endpoint}: close it, or choose another path`;
    case "ENOENT":
      return `the folder ${folder} of ${endpoint} does not exist: make it first`;
    case "ENOTDIR":
      return `${folder} in ${endpoint} is not a folder`;
    case "EACCES":
    case "EPERM":
      return `this user may not make ${endpoint}: it needs the permission to write into the folder ${folder}`;
    case "EROFS":
      return `${endpoint} is on a file system that cannot be written`;
    default:
      return undefined;
  }
}

function aboutAddress(code: string, endpoint: string, rest: string): string | undefined {
  const port = Number(/:(\d+)(?:\/|$)/.exec(rest)?.[1] ?? 0);
  switch (code) {
    case "EADDRINUSE":
      return `another socket or program listens on ${endpoint}: end it, choose another port, or "*" for a free one`;
    case "EACCES":
    case "EPERM":
      return port > 0 && port <= SYSTEM_PORTS
        ? `${endpoint}: ports up to ${SYSTEM_PORTS} are kept for the system: choose a higher one, or give the program CAP_NET_BIND_SERVICE`
        : `this user may not bind ${endpoint}`;
    case "EADDRNOTAVAIL":
      return `${endpoint} is not an address of this machine: bind one that is, or "*" for all of them`;
    case "EAFNOSUPPORT":
      return `this machine has no addresses of the kind of ${endpoint}`;
    default:
      return undefined;
  }
}
