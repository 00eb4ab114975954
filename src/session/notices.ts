/**
 * Messages that nobody sends: what a new peer hears first (helloMessage, probeRouter), and what the socket itself hears when
 * a connection is made or lost (routerNotify, disconnectMessage, hiccupMessage). These options are only ever set on types
 * that have them, so nothing here asks for a type.
 */

import { Buffer } from "../base/platform.js";
import { writeFrameHeader } from "../engine/frame-header.js";
import type { Pipe } from "../engine/pipe.js";
import type { OptionValues } from "../options/options.js";
import { LONG_HEADER } from "../wire/frame-format.js";
import type { SocketHost } from "./host.js";

const EMPTY = Buffer.alloc(0);

/** The bits of ZMQ_ROUTER_NOTIFY. */
const NOTIFY_CONNECT = 1;
const NOTIFY_DISCONNECT = 2;

/** The options that a connection goes by: as they were at bind or connect. */
export type NoticeOptions = Pick<
  OptionValues,
  "helloMessage" | "disconnectMessage" | "hiccupMessage" | "routerNotify"
>;

/** They as they are now. */
export function noticesOf(options: OptionValues): NoticeOptions {
  const { helloMessage, disconnectMessage, hiccupMessage, routerNotify } = options;
  return { helloMessage, disconnectMessage, hiccupMessage, routerNotify };
}

/** What a connection begins with, as bytes; null for nothing. */
export function greetingOf({ helloMessage }: NoticeOptions, probe: boolean): Uint8Array[] | null {
  if (helloMessage === null && !probe) return null;
  const frames: Uint8Array[] = [];
  if (helloMessage !== null) frames.push(frameOf(helloMessage));
  if (probe) frames.push(frameOf(EMPTY)); // I14
  return frames;
}

function frameOf(part: Buffer): Uint8Array {
  const bytes = Buffer.allocUnsafe(LONG_HEADER + part.length);
  const at = writeFrameHeader(bytes, 0, 0, part.length);
  bytes.set(part, at);
  return bytes.subarray(0, at + part.length);
}

/** The first message of an inproc pipe that takes no part in routing yet; there is room, because it is the first. */
export function sayHello(pipe: Pipe, { helloMessage }: NoticeOptions): void {
  if (helloMessage !== null) pipe.trySend(helloMessage);
}

/** A handshake is complete and the socket knows its peer. */
export function tellMade(host: SocketHost, pipe: Pipe, { routerNotify }: NoticeOptions): void {
  if (!notifies(host, pipe, routerNotify, NOTIFY_CONNECT)) return;
  // Over inproc, messages may have come while the two were being joined.
  const before = pipe.inboundLength;
  deliver(host, pipe, EMPTY);
  if (pipe.inboundLength === before) return; // a peer that is not heard
  pipe.moveToEnd(before);
}

/**
 * A connection is lost, and its pipe still takes part in routing.
 * @param dialled we have made it, and will make it anew
 */
export function tellLost(host: SocketHost, pipe: Pipe, options: NoticeOptions, dialled: boolean): void {
  if (notifies(host, pipe, options.routerNotify, NOTIFY_DISCONNECT)) deliver(host, pipe, EMPTY);
  const last = dialled ? options.hiccupMessage : options.disconnectMessage;
  if (last !== null) deliver(host, pipe, Buffer.from(last));
}

/** libzmq tells nothing over inproc. */
function notifies(host: SocketHost, pipe: Pipe, routerNotify: number, what: number): boolean {
  if ((routerNotify & what) === 0) return false;
  return !host.asLibzmq || pipe.peer?.endpoint.startsWith("inproc:") !== true;
}

/** As if the peer had sent it: a pipe whose messages are discarded discards this one, too. */
function deliver(host: SocketHost, pipe: Pipe, part: Buffer): void {
  pipe.deliver([part]);
  // Not within the session's own steps: a listener of messages may close the socket.
  host.runtime.nextTick(() => {
    if (pipe.inboundLength > 0) host.pipeReadable(pipe);
  });
}
