/**
 * Prints a socket's events for `NODE_DEBUG=zwire`: addresses, socket types and errors. It must not print anything that may
 * be secret: no options, keys, names, metadata or messages.
 */

import type { EventType, SocketEvents } from "../base/events.js";
import { debuglog } from "../base/platform.js";

const debug = debuglog("zwire");

/** Counts the sockets, to give each a distinct name in the trace. */
let sockets = 0;

/** Whether events are printed. Fixed when the process starts, and cheap to call. */
export function traced(): boolean {
  return debug.enabled;
}

/** The name of a new socket in the trace. */
export function traceName(socketType: string): string {
  return debug.enabled ? `${socketType}#${++sockets}` : "";
}

/** An error without what may be secret: the text of an exception in the application's own `authenticate`. */
export function shownError(error: Error): { readonly code?: string; readonly message: string } {
  const { code } = error as { code?: string };
  const foreign = code === "authentication-failed" && error.cause !== undefined;
  return { code, message: foreign ? "" : error.message };
}

/** An error in one line. */
function errorText(error: Error): string {
  const { code, message } = shownError(error);
  return [code, message.replace(/\s*\n\s*/g, "; ")].filter(Boolean).join(": ");
}

/** Prints an event of a socket. */
export function trace<E extends EventType>(socket: string, type: E, payload: SocketEvents[E]): void {
  const { address, endpoint, peer, interval, limit, action, value, error, reason } = payload as Partial<
    SocketEvents["connect:retry"] & SocketEvents["limit"] & SocketEvents["disconnect"]
  >;
  const words = [socket, type];
  if (address) words.push(address);
  if (endpoint && endpoint !== address) words.push(`at ${endpoint}`);
  if (peer !== undefined) words.push(`(${peer.socketType})`);
  if (interval !== undefined) words.push(`in ${interval} ms`);
  if (limit !== undefined) words.push(value === undefined ? limit : `${limit} ${value}`, `${action}`);
  if (reason !== undefined) words.push(`by ${reason}`);
  if (error !== undefined) words.push(`- ${errorText(error)}`);
  debug("%s", words.join(" "));
}
