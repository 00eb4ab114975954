/**
 * libzmq sockets in the process of a test, through zeromq.js: for behaviours that show only between two
 * implementations. A libzmq socket that is bound or lost its peer acts only inside its calls, so tests keep a call
 * under way where that matters.
 */
import { onTestFinished } from "vitest";
import type * as zmq from "zeromq";
import { texts } from "./helpers.js";

/** A free port of the loopback address. */
export const ANY = "tcp://127.0.0.1:*";
/** For calls that must not hang. */
export const soon = { timeout: 20_000 };

/** A libzmq socket that does not linger, does not wait for ever, and goes away when the test ends. */
export function foreign<T extends zmq.Socket>(socket: T): T {
  for (const [name, value] of [
    ["linger", 0],
    ["receiveTimeout", 20_000],
    ["sendTimeout", 20_000],
    ["reconnectInterval", 10],
  ] as const) {
    if (name in socket) (socket as unknown as Record<string, number>)[name] = value;
  }
  onTestFinished(() => socket.close());
  return socket;
}

/** Binds a libzmq socket to a free port. */
export async function bound<T extends zmq.Socket>(socket: T): Promise<string> {
  await socket.bind(ANY);
  return socket.lastEndpoint as string;
}

/**
 * The next message of a libzmq socket. zeromq.js now and then says EAGAIN within milliseconds, while a handshake with an
 * authenticator is going on: then once more, for as long as a receive may take.
 */
export async function patiently(socket: { receive(): Promise<Buffer[]> }): Promise<Buffer[]> {
  const began = performance.now();
  for (;;) {
    try {
      return await socket.receive();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN" || performance.now() - began > 20_000)
        throw error;
    }
  }
}

/** Parts as text, of either library. */
export const read = async (socket: { receive(): Promise<Buffer[]> }): Promise<string[]> =>
  texts(await patiently(socket));
