/**
 * Sockets as streams of the Web, for `pipeTo()`, `fetch` and pages. As those of node.ts, they do not own their socket. They
 * hold no message of their own: what was not read goes to the next receive.
 */
import type { Message } from "../base/message.js";
import type { Sendable } from "../core/sender.js";
import {
  checkReceives,
  checkSends,
  checkStreamOptions,
  nextChunk,
  type Receiving,
  type Sending,
  type SocketStreamOptions,
  sendChunk,
  sendEnd,
} from "./options.js";

/** Calls `abort` with the signal's reason when it aborts; returns what undoes that. */
function following(signal: AbortSignal | undefined, abort: (reason: unknown) => void): () => void {
  if (signal === undefined) return () => {};
  const follow = (): void => abort(signal.reason);
  if (signal.aborted) follow();
  else signal.addEventListener("abort", follow, { once: true });
  return () => signal.removeEventListener("abort", follow);
}

/**
 * The messages of a socket as a ReadableStream. It ends when the socket closes and, with `end`, at an empty message.
 * @throws TypeError for a socket that does not receive, and for wrong options
 */
export function createReadableStream<T extends Message | Uint8Array = Uint8Array>(
  socket: Receiving,
  options: SocketStreamOptions = {},
): ReadableStream<T> {
  checkReceives(socket);
  checkStreamOptions(options);
  const abort = new AbortController();
  let unfollow = (): void => {};
  const over = (): void => {
    unfollow();
    abort.abort();
  };
  return new ReadableStream<T>(
    {
      start(controller) {
        unfollow = following(options.signal, (reason) => {
          over();
          controller.error(reason);
        });
      },
      async pull(controller) {
        let chunk: Message | Uint8Array | null;
        try {
          chunk = await nextChunk(socket, options, abort.signal);
        } catch (error) {
          if (abort.signal.aborted) return; // cancelled, or in error already
          over();
          throw error;
        }
        if (chunk !== null) controller.enqueue(chunk as T);
        else {
          over();
          controller.close();
        }
      },
      cancel: over,
    },
    // Nothing is read before it is asked for.
    { highWaterMark: 0 },
  );
}

/**
 * A WritableStream whose chunks are sent as messages, as fast as the socket's queues have room.
 * @throws TypeError for a socket that does not send, and for wrong options
 */
export function createWritableStream<T extends Sendable = Uint8Array | string>(
  socket: Sending,
  options: SocketStreamOptions = {},
): WritableStream<T> {
  checkSends(socket);
  checkStreamOptions(options);
  const abort = new AbortController();
  let unfollow = (): void => {};
  const over = (): void => {
    unfollow();
    abort.abort();
  };
  return new WritableStream<T>({
    start(controller) {
      unfollow = following(options.signal, (reason) => {
        over();
        controller.error(reason);
      });
    },
    write: (chunk) => sendChunk(socket, chunk, options, abort.signal),
    close: () => sendEnd(socket, options, abort.signal).finally(over),
    abort: over,
  });
}

/**
 * Both, for a socket that sends and receives at any time: Pair, Dealer.
 * @throws TypeError for a socket that does not do both, and for wrong options
 */
export function createDuplexStream<
  Read extends Message | Uint8Array = Uint8Array,
  Write extends Sendable = Uint8Array | string,
>(
  socket: Receiving & Sending,
  options: SocketStreamOptions = {},
): { readable: ReadableStream<Read>; writable: WritableStream<Write> } {
  checkSends(socket);
  return {
    readable: createReadableStream<Read>(socket, options),
    writable: createWritableStream<Write>(socket, options),
  };
}
