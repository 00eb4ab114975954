/**
 * Messages that zwire makes itself: those that a new peer gets first (helloMessage, probeRouter), and those that the socket
 * receives when a connection is made or lost (routerNotify, disconnectMessage, hiccupMessage). The options are checked when
 * they are set: only socket types that support one have it, so this file does not check types.
 */

import { Buffer } from "../base/platform.js";
import { writeFrameHeader } from "../engine/frame-header.js";
import type { InboundPipe } from "../engine/inbound-pipe.js";
import type { Pipe } from "../engine/pipe.js";
import type { OptionValues } from "../options/options.js";
import { LONG_HEADER } from "../wire/frame-format.js";
import type { SocketHost } from "./host.js";

const EMPTY = Buffer.alloc(0);

/** The bits of ZMQ_ROUTER_NOTIFY. */
const NOTIFY_CONNECT = 1;
const NOTIFY_DISCONNECT = 2;

/** The options of a connection, as they were at bind or connect. */
export type NoticeOptions = Pick<
  OptionValues,
  "helloMessage" | "disconnectMessage" | "hiccupMessage" | "routerNotify"
>;

/** Copies the current values. */
export function noticesOf(options: OptionValues): NoticeOptions {
  const { helloMessage, disconnectMessage, hiccupMessage, routerNotify } = options;
  return { helloMessage, disconnectMessage, hiccupMessage, routerNotify };
}

/** The first messages of a connection, encoded; null if there are none. */
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

/** Sends helloMessage to an inproc pipe before it joins routing. The pipe is still empty, so there is room. */
export function sayHello(pipe: Pipe, { helloMessage }: NoticeOptions): void {
  if (helloMessage !== null) pipe.trySend(helloMessage);
}

/** Notifies the socket of a new peer, after the handshake (routerNotify). */
export function tellMade(host: SocketHost, pipe: InboundPipe, { routerNotify }: NoticeOptions): void {
  if (!notifies(host, pipe, routerNotify, NOTIFY_CONNECT)) return;
  // Over inproc, messages may have come while the two were being joined.
  const before = pipe.inboundLength;
  deliver(host, pipe, EMPTY);
  if (pipe.inboundLength === before) return; // messages of this peer are discarded
  pipe.moveToEnd(before);
}

/**
 * Notifies the socket of a lost connection, while its pipe is still in routing.
 * @param dialled the connection was dialled, and will be dialled again
 */
export function tellLost(
  host: SocketHost,
  pipe: InboundPipe,
  options: NoticeOptions,
  dialled: boolean,
): void {
  if (notifies(host, pipe, options.routerNotify, NOTIFY_DISCONNECT)) deliver(host, pipe, EMPTY);
  const last = dialled ? options.hiccupMessage : options.disconnectMessage;
  if (last !== null) deliver(host, pipe, Buffer.from(last));
}

/** Whether the option asks for this notice. libzmq sends none over inproc. */
function notifies(host: SocketHost, pipe: Pipe, routerNotify: number, what: number): boolean {
  if ((routerNotify & what) === 0) return false;
  return !host.asLibzmq || pipe.peer?.endpoint.startsWith("inproc:") !== true;
}

/** Delivers a message as if the peer had sent it: a pipe that discards the peer's messages discards this one, too. */
function deliver(host: SocketHost, pipe: InboundPipe, part: Buffer): void {
  pipe.deliver([part]);
  // On the next tick: waking a reader may run code that closes the socket, and the session is in the middle of a step.
  host.runtime.nextTick(() => {
    if (pipe.inboundLength > 0) host.pipeReadable(pipe);
  });
}
