/**
 * The version and the engine of this copy of zwire.
 */
import { portableReason, streamEngine } from "../transport/registry.js";

/** zwire's version, as in package.json. */
export const version = "0.1.0";

/**
 * Which engine transports the bytes of tcp and ipc in this process.
 * @throws ZmqError if `ZWIRE_ENGINE` asks for one that is not available
 */
export function engine(): "native" | "portable" {
  return streamEngine().name;
}

/**
 * Why this process uses the portable engine: the error with which the addon failed to load, or one that says what requires
 * the portable engine (`ZWIRE_ENGINE=portable`, Bun, Deno, a bundle). Undefined if the native engine is used. The error is
 * returned, not thrown, because the portable engine works.
 * @throws ZmqError as `engine()` does
 */
export function addonError(): Error | undefined {
  return portableReason();
}
