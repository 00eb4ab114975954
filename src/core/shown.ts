/**
 * What `console.log(socket)` shows: where the socket is, to whom, what waits, and which options are not the defaults. No
 * secret is shown, and no message.
 */
import { HIDDEN } from "../base/hiding.js";
import type { OptionName, OptionValues } from "../options/options.js";
import { defaultsOf } from "../options/table.js";
import { defaultOptions, readOption, UNSHOWN } from "../options/values.js";
import type { SocketStats } from "./stats.js";

/** What is shown of a socket. */
export interface Showing {
  readonly socketType: string;
  readonly closed: boolean;
  readonly settings: { readonly names: readonly OptionName[] };
  readonly options: OptionValues;
  readonly stats: SocketStats;
  readonly names: { readonly bound: readonly string[]; readonly connected: readonly string[] };
}

/** Endpoints that the error of a wait names. */
const ENDPOINTS = 3;
/** Follows from the others, which are shown. */
const DERIVED: readonly OptionName[] = ["security", "tls"];

function changed({ socketType, options, settings }: Showing): Record<string, unknown> {
  const initial = Object.assign(defaultOptions(), defaultsOf(socketType));
  const found: Record<string, unknown> = {};
  for (const name of settings.names) {
    const value = readOption(options, name);
    if (DERIVED.includes(name) || value === readOption(initial, name) || isEmpty(value)) continue;
    found[name] = UNSHOWN.includes(name) ? HIDDEN : value;
  }
  if (options.tls != null) found.tls = HIDDEN;
  return found;
}

function isEmpty(value: unknown): boolean {
  return (Array.isArray(value) && value.length === 0) || (value instanceof Map && value.size === 0);
}

/** The lines of a socket, as an object. */
export function shownSocket(socket: Showing): object {
  if (socket.closed) return { closed: true };
  const { bound, connected } = socket.names;
  const { peers, sendQueue, outboundQueue, receiveQueue, messagesSent, messagesReceived, dropped } =
    socket.stats;
  return {
    bound,
    connected,
    peers,
    waiting: { sends: sendQueue, toPeers: outboundQueue, received: receiveQueue },
    messages: { sent: messagesSent, received: messagesReceived, dropped },
    options: changed(socket),
  };
}

/** For the error of a wait that is over: who waited for how long, and what is known of the other side. */
export function waitedInVain(
  socket: Pick<Showing, "socketType" | "names">,
  peers: number,
  ms: number,
  last: Error | undefined,
): string {
  const { bound, connected } = socket.names;
  const all = [...bound, ...connected];
  const where = all.length === 0 ? "not bound or connected" : all.slice(0, ENDPOINTS).join(", ");
  const more = all.length > ENDPOINTS ? ` and ${all.length - ENDPOINTS} more` : "";
  const failed = last === undefined ? "" : `; last failure: ${last.message}`;
  return `${socket.socketType} waited ${ms} ms (${where}${more}) with ${peers} ${peers === 1 ? "peer" : "peers"}${failed}`;
}
