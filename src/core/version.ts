/**
 * What this copy of zwire is.
 */
import { portableReason, streamEngine } from "../transport/registry.js";

/** zwire's version, as in package.json. */
export const version = "0.1.0";

/**
 * Which engine moves the bytes of tcp and ipc in this process.
 * @throws ZmqError when `ZWIRE_ENGINE` asks for one that cannot be had
 */
export function engine(): "native" | "portable" {
  return streamEngine().name;
}

/**
 * Why the portable engine moves the bytes of tcp and ipc in this process: the error with which the addon did not load, or
 * one that says what asks for the portable engine (`ZWIRE_ENGINE=portable`, Bun, Deno, a bundle). Undefined where the
 * native engine is used. The error is not thrown: the portable engine works.
 * @throws ZmqError as `engine()` does
 */
export function addonError(): Error | undefined {
  return portableReason();
}
