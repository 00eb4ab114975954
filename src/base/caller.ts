/**
 * Stacks of errors that begin at the line of the program. V8 keeps ten frames, and those of zwire would take most of them, or all
 * once a call has waited. Only calls that are made seldom keep a stack for an error that comes later.
 */
import { ZmqError } from "./errors.js";

/** A method of the API. */
export type Call = (...args: never[]) => unknown;

/** Absent where the runtime is not V8. */
const capture = (Error as { captureStackTrace?: (target: object, above: Call) => void }).captureStackTrace;

/** The error, with a stack that begins at the caller of `call`, which must be running. */
export function from<E>(call: Call, error: E): E {
  if (error instanceof Error) capture?.(error, call);
  return error;
}

/** Runs a part of `call`. What it throws has a stack that begins at the caller. */
export function edge<T>(call: Call, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw from(call, error);
  }
}

/**
 * As edge(), for a ZmqError that comes later. Each call costs a stack: not for what a program does often.
 * @param signal its reason belongs to the program, and stays as it is
 */
export function edgeLater<T>(call: Call, run: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const here: { stack?: string } = {};
  capture?.(here, call);
  return run().catch((error: unknown) => {
    if (error instanceof ZmqError && error !== signal?.reason && here.stack !== undefined) {
      const frames = here.stack.indexOf("\n    at ");
      if (frames >= 0) error.stack = `${error.name}: ${error.message}${here.stack.slice(frames)}`;
    }
    throw error;
  });
}
