/**
 * Turns errors into the arguments of an ERR event and back (§6, T10, T21, T35).
 */
import { Buffer } from "../base/platform.js";
import { CallRefused, MalformedAnswer, RemoteError, UnknownMethod } from "./errors.js";
import { sendable } from "./wire/codec.js";
import type { Extension, RpcEvent } from "./wire/event.js";

/** Why a zwire server did not run a call. Sent in the extension header, beside `code` and `data`. */
export type Refusal = "unknown-method" | "busy" | "closing";

interface ErrorExtension extends Extension {
  readonly kind?: Refusal;
}

/** What an ERR event carries. */
export interface ErrorAnswer {
  readonly args: [string, string, string | null];
  readonly extension: ErrorExtension;
}

/** An error as it is sent. @param traceback whether to send its stack */
export function describeError(error: unknown, traceback: boolean): ErrorAnswer {
  if (!(error instanceof Error)) {
    const thrown = typeof error === "string" ? error : describe(error);
    return { args: ["Error", text(thrown), null], extension: {} };
  }
  const { code, data } = error as { code?: unknown; data?: unknown };
  const stack = error instanceof RemoteError ? error.traceback : (error.stack ?? null);
  const extension: { code?: string; data?: unknown } = {};
  if (typeof code === "string") extension.code = text(code);
  if (data !== undefined) extension.data = sendableOrNote(data);
  return {
    args: [
      text(describe(error.name)),
      text(describe(error.message)),
      traceback && stack !== null ? text(describe(stack)) : null,
    ],
    extension,
  };
}

/** An answer for a call that was not run. */
export function refusal(kind: Refusal, name: string, message: string): ErrorAnswer {
  return { args: [name, text(message), null], extension: { kind } };
}

/** The one element of an ERR to a peer of version 1, which Python fills with repr(exception) (T10). */
export function describeForV1([name, message]: ErrorAnswer["args"]): [string] {
  return [`${name}(${JSON.stringify(message)})`];
}

function text(value: string): string {
  return sendable(value, "error") as string;
}

/** Any value as text. An object from a peer may have a `toString` that is not a function. */
export function describe(value: unknown): string {
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/** The data, or a note if it cannot be sent: that must not hide the error itself. */
function sendableOrNote(data: unknown): unknown {
  try {
    return sendable(data, "error.data");
  } catch (error) {
    return { notSent: (error as Error).message };
  }
}

/** The error that an ERR event stands for. */
export function errorOf(event: RpcEvent, method: string): Error {
  const { args } = event;
  if (!Array.isArray(args) || args.length === 0) {
    return new MalformedAnswer(`the server answered ${method} with an empty error`, method);
  }
  if (args.length === 1) return new RemoteError("RemoteError", toText(args[0]), { method });
  const name = toText(args[0]);
  const message = toText(args[1]);
  const { kind, code, data } = (event.extension ?? {}) as ErrorExtension;
  const details = {
    method,
    traceback: args[2] === null || args[2] === undefined ? null : toText(args[2]),
    code: typeof code === "string" ? code : undefined,
    data,
  };
  if (kind === "busy" || kind === "closing")
    return new CallRefused(name, message, { ...details, code: kind });
  if (kind === "unknown-method") return new UnknownMethod(name, message, details);
  // The message of Python's NameError for an unknown method is only the name.
  const unknown =
    name === "NameError" && event.extension === null && (message === method || message === `b'${method}'`);
  return new (unknown ? UnknownMethod : RemoteError)(name, message, details);
}

function toText(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString() : describe(value);
}

/** A method's name as an answer repeats it: bytes as Python prints them (T7). */
export function describeName(name: unknown): string {
  if (typeof name === "string") return name;
  return name instanceof Uint8Array ? `b'${Buffer.from(name).toString("latin1")}'` : describe(name);
}
