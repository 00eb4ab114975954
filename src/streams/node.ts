/**
 * Sockets as streams of Node.js, for `pipeline()` and everything else that takes streams. A stream does not own its socket:
 * destroying it leaves the socket open, and what it has not read goes to the next receive.
 */
import { Duplex, type DuplexOptions, Readable, Writable } from "node:stream";
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

/** Options of a stream of Node.js over a socket. */
export interface NodeStreamOptions extends SocketStreamOptions {
  /** As in node:stream: chunks, or their bytes, that the stream holds itself, beside the queues of the socket. */
  readonly highWaterMark?: number;
}

type Done = (error?: Error | null) => void;

/** The methods of a stream that reads from a socket. */
function reading(socket: Receiving, options: NodeStreamOptions, signal: AbortSignal) {
  return {
    read(this: Readable): void {
      nextChunk(socket, options, signal).then(
        (chunk) => this.push(chunk),
        (error) => {
          if (!signal.aborted) this.destroy(error);
        },
      );
    },
  };
}

/** The methods of a stream that writes to a socket. */
function writing(socket: Sending, options: NodeStreamOptions, signal: AbortSignal) {
  const settle = (sent: Promise<void>, done: Done): void => {
    sent.then(
      () => done(),
      (error) => done(error),
    );
  };
  return {
    write(chunk: Sendable, _encoding: string, done: Done): void {
      settle(sendChunk(socket, chunk, options, signal), done);
    },
    final(done: Done): void {
      settle(sendEnd(socket, options, signal), done);
    },
  };
}

/** What all streams have: their options for node:stream, and the end of what they wait for. */
function common(options: NodeStreamOptions, abort: AbortController) {
  const { objectMode = false, signal, highWaterMark } = options;
  return {
    objectMode,
    ...(signal === undefined ? {} : { signal }),
    ...(highWaterMark === undefined ? {} : { highWaterMark }),
    destroy(error: Error | null, done: Done): void {
      abort.abort();
      done(error);
    },
  };
}

/**
 * The messages of a socket as a Readable. It ends when the socket closes and, with `end`, at an empty message.
 * @throws TypeError for a socket that does not receive, and for wrong options
 */
export function createReadable(socket: Receiving, options: NodeStreamOptions = {}): Readable {
  checkReceives(socket);
  checkStreamOptions(options, ["highWaterMark"]);
  const abort = new AbortController();
  return new Readable({ ...common(options, abort), ...reading(socket, options, abort.signal) });
}

/**
 * A Writable whose chunks are sent as messages, as fast as the socket's queues have room.
 * @throws TypeError for a socket that does not send, and for wrong options
 */
export function createWritable(socket: Sending, options: NodeStreamOptions = {}): Writable {
  checkSends(socket);
  checkStreamOptions(options, ["highWaterMark"]);
  const abort = new AbortController();
  return new Writable({ ...common(options, abort), ...writing(socket, options, abort.signal) });
}

/**
 * Both in one, for a socket that sends and receives at any time: Pair, Dealer.
 * @throws TypeError for a socket that does not do both, and for wrong options
 */
export function createDuplex(socket: Receiving & Sending, options: NodeStreamOptions = {}): Duplex {
  checkReceives(socket);
  checkSends(socket);
  checkStreamOptions(options, ["highWaterMark"]);
  const abort = new AbortController();
  const methods = {
    ...common(options, abort),
    ...reading(socket, options, abort.signal),
    ...writing(socket, options, abort.signal),
  };
  return new Duplex(methods as DuplexOptions);
}
