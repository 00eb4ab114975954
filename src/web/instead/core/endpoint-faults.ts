/** Stands for core/endpoint-faults.ts: a page binds inproc only, which says by itself what is wrong. */
import type { ZmqError } from "../../../base/errors.js";

export function explained(error: ZmqError): ZmqError {
  return error;
}
