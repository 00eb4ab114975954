/** The messages of a test: sent, counted, echoed and asked. */
import type { CallOptions, Message, Sendable } from "../../index.js";
import type { Progress } from "../messages/progress.js";
import type { Clock } from "./report.js";

/** A socket that sends. */
export interface Sending {
  send(message: Sendable, options?: CallOptions): Promise<void>;
  sendMany(messages: Iterable<Sendable>, options?: CallOptions): Promise<void>;
}

/** A socket that receives. */
export interface Receiving {
  receive(options?: CallOptions): Promise<Message>;
  receiveMany(max: number, options?: CallOptions): Promise<Message[]>;
}

/** Messages that are counted together. */
const BATCH = 1024;

/** What came is not what the test is about. */
export class OddMessage extends Error {
  override readonly name = "OddMessage";
}

const none = (): boolean => false;

function check(message: Message, size: number): void {
  if (message.length === 1 && message[0].length === size) return;
  const got = message.length === 1 ? `${message[0].length} bytes` : `${message.length} parts`;
  throw new OddMessage(`a message of ${size} bytes was due, and one of ${got} came`);
}

/** Sends so many messages. */
export async function sendAll(
  socket: Sending,
  size: number,
  count: number,
  signal: AbortSignal,
  progress: Progress,
): Promise<void> {
  const payload = Buffer.alloc(size);
  for (let left = count; left > 0; left -= BATCH) {
    const batch = new Array<Buffer>(Math.min(left, BATCH)).fill(payload);
    await socket.sendMany(batch, { timeout: -1, signal });
    progress.count(batch.map((part) => [part]));
  }
}

/** Receives so many messages. @param beside messages that do not count */
export async function receiveAll(
  socket: Receiving,
  size: number,
  count: number,
  signal: AbortSignal,
  progress: Progress,
  beside: (message: Message) => boolean = none,
): Promise<void> {
  for (let left = count; left > 0; ) {
    const messages = await socket.receiveMany(Math.min(left, BATCH), { timeout: -1, signal });
    for (const message of messages) {
      if (message.length > 1 && beside(message)) left++;
      else check(message, size);
    }
    left -= messages.length;
    progress.count(messages);
  }
}

/** Sends so many messages back. @param beside messages that do not count */
export async function echoAll(
  socket: Sending & Receiving,
  size: number,
  count: number,
  signal: AbortSignal,
  beside: (message: Message) => boolean = none,
): Promise<void> {
  const call = { timeout: -1, signal };
  for (let left = count; left > 0; left--) {
    let message = await socket.receive(call);
    while (message.length > 1 && beside(message)) message = await socket.receive(call);
    check(message, size);
    await socket.send(message, call);
  }
}

/** Makes so many round trips. */
export async function askAll(
  socket: Sending & Receiving,
  size: number,
  count: number,
  signal: AbortSignal,
  progress: Progress,
  clock?: Clock,
): Promise<void> {
  const call = { timeout: -1, signal };
  const payload = Buffer.alloc(size);
  for (let left = count; left > 0; left--) {
    const began = performance.now();
    await socket.send(payload, call);
    const message = await socket.receive(call);
    clock?.record(performance.now() - began);
    check(message, size);
    progress.count([message]);
  }
}
