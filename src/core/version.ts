/**
 * What this copy of zwire is.
 */
import { streamEngine } from "../transport/registry.js";

/** zwire's version, as in package.json. */
export const version = "0.1.0";

/**
 * Which engine moves the bytes of tcp and ipc in this process.
 * @throws ZmqError when `ZWIRE_ENGINE` asks for one that cannot be had
 */
export function engine(): "native" | "portable" {
  return streamEngine().name;
}
