/**
 * Passes on what a stream tells: to the WebSocket handshake, then to the WebSocket, and at last to a farewell.
 */
import type { FrameFault, Stream, StreamHandler } from "../contract/transport.js";

/** The handler of a stream, which stays while the one behind it changes. */
export class Relay implements StreamHandler {
  target: StreamHandler;
  /** Whether a farewell keeps the process alive. */
  readonly holds: boolean;

  constructor(target: StreamHandler, holds = false) {
    this.target = target;
    this.holds = holds;
  }

  onBytes(chunk: Buffer): void {
    this.target.onBytes(chunk);
  }

  onFrames(): void {}
  onLargeFrame(): void {}

  onDrain(): void {
    this.target.onDrain();
  }

  onClose(
    error: NodeJS.ErrnoException | undefined,
    fault: FrameFault,
    pendingBytes: number,
    size: number,
  ): void {
    this.target.onClose(error, fault, pendingBytes, size);
  }
}

/** How long, and how much, the peer may go on after our last word: a WebSocket, and who got none. */
export const FAREWELL_MS = 1000;
export const REFUSAL_MS = 200;
const FAREWELL_BYTES = 1024 * 1024;

/**
 * Ends a connection so that the peer can read our last word: a system that closes with unread bytes throws away what it has
 * sent. So what still comes is read and dropped for a while, until the peer closes too. Keeps the process alive only on an HTTP
 * server of the program, whose own close() waits for its connections.
 */
export function sayFarewell(stream: Stream, relay: Relay, limitMs: number): void {
  let left = FAREWELL_BYTES;
  const end = (): void => {
    clearTimeout(timer);
    stream.close();
  };
  const timer = setTimeout(end, limitMs);
  relay.target = {
    onBytes(chunk) {
      left -= chunk.length;
      if (left < 0) end();
    },
    onFrames() {},
    onLargeFrame() {},
    onDrain() {},
    onClose: end,
  };
  if (!relay.holds) {
    timer.unref();
    stream.unref();
  }
  stream.resume();
}
