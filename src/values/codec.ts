/**
 * Values in place of bytes: the last part of a message is a value, and what stands before it (topics, names of peers,
 * delimiters) stays bytes.
 */
import type { Router } from "../api/sockets/router.js";
import type { Subscriber } from "../api/sockets/subscriber.js";
import type { XSubscriber } from "../api/sockets/xsubscriber.js";
import type { Message, MessageLike } from "../base/message.js";
import type { CallOptions, RequestCallOptions } from "../base/waiting.js";
import { loadMessagePack } from "./msgpack.js";

/** Turns values into bytes or text, and back. Both may throw for what they cannot turn. */
export interface Codec<T> {
  encode(value: T): Uint8Array | string;
  decode(part: Uint8Array): T;
}

/**
 * A message with a value as its last part, as sockets of a type have them: a topic before it, or the name of a peer and what
 * follows that, or nothing. At run time there may be more, if the peer sends more.
 */
export type ValueMessage<T, S = unknown> = S extends Subscriber | XSubscriber
  ? [topic: Uint8Array, value: T]
  : S extends Router
    ? [...head: Uint8Array[], value: T]
    : [value: T];

/** What is sent: a value, or an array of parts of which the last is one. A value that is an array is sent in an array. */
export type ValueLike<T> = T | readonly [...head: MessageLike[], value: T];

/** Options of withCodec. */
export interface CodecOptions {
  /**
   * Called for each message whose last part cannot be decoded. The message is dropped, and receiving goes on with the next
   * one. Default: `receive()` and iteration reject with the CodecError.
   */
  readonly invalid?: (error: CodecError) => void;
}

/** What a peer has sent cannot be decoded. `cause` is what the codec threw. */
export class CodecError extends Error {
  override readonly name = "CodecError";
  readonly code = "EBADMSG";
  /** The whole message as it came. */
  readonly parts: Message;

  constructor(parts: Message, codec: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      `the last part of a message, of ${parts[parts.length - 1].length} bytes, is no ${codec}: ${reason}`,
      { cause },
    );
    this.parts = parts;
  }
}

/** A socket that sends. */
interface Sending {
  send(message: MessageLike[], options?: CallOptions): Promise<void>;
}

/** A socket that receives. */
interface Receiving {
  receive(options?: CallOptions): Promise<Message>;
}

/** A socket that asks. */
interface Requesting {
  request(message: MessageLike[], options?: RequestCallOptions): Promise<Message>;
}

/** The face of a socket whose messages end with a value. It has the methods that the socket has. */
export type ValueSocket<T, S> = { readonly socket: S } & (S extends Sending ? ValueSender<T> : unknown) &
  (S extends Receiving ? ValueReceiver<T, S> : unknown) &
  (S extends Requesting ? ValueRequester<T> : unknown);

export interface ValueSender<T> {
  /** As the socket's send(). Rejects with what the codec throws for a value that it cannot turn. */
  send(message: ValueLike<T>, options?: CallOptions): Promise<void>;
}

export interface ValueReceiver<T, S = unknown> extends AsyncIterable<ValueMessage<T, S>> {
  /** As the socket's receive(). Rejects with a CodecError for a message that cannot be decoded; see CodecOptions. */
  receive(options?: CallOptions): Promise<ValueMessage<T, S>>;
}

export interface ValueRequester<T> {
  /** As the socket's request(). Rejects with a CodecError for an answer that cannot be decoded. */
  request(message: ValueLike<T>, options?: RequestCallOptions): Promise<ValueMessage<T>>;
}

const decoder = new TextDecoder("utf-8", { fatal: true });

const JSON_CODEC: Codec<unknown> = {
  encode(value) {
    const text = JSON.stringify(value);
    if (text === undefined) throw new TypeError(`JSON has no ${typeof value}`);
    return text;
  },
  decode: (part) => JSON.parse(decoder.decode(part)),
};

/** A codec, which has to be loaded first in one case. */
type Loaded<T> = Codec<T> | Promise<Codec<T>>;

function codecOf<T>(codec: unknown): Loaded<T> {
  if (codec === "json") return JSON_CODEC as Codec<T>;
  if (codec === "msgpack") {
    const loading = loadMessagePack() as Promise<Codec<T>>;
    loading.catch(() => {}); // the calls that wait for it reject
    return loading;
  }
  const { encode, decode } = (codec ?? {}) as Partial<Codec<T>>;
  if (typeof encode !== "function" || typeof decode !== "function")
    throw new TypeError('codec must be "json", "msgpack" or an object with encode() and decode()');
  return codec as Codec<T>;
}

class Values<T> {
  readonly socket: Partial<Sending & Receiving & Requesting>;
  readonly #name: string;
  readonly #invalid: CodecOptions["invalid"];
  #codec: Loaded<T>;
  /** Sends that wait for the codec: those that follow wait behind them. */
  #waiting = 0;

  constructor(
    socket: Partial<Sending & Receiving & Requesting>,
    name: string,
    codec: Loaded<T>,
    { invalid }: CodecOptions,
  ) {
    this.socket = socket;
    this.#name = name;
    this.#codec = codec;
    this.#invalid = invalid;
    if (socket.send === undefined) Object.assign(this, { send: undefined });
    if (socket.request === undefined) Object.assign(this, { request: undefined });
    if (socket.receive === undefined)
      Object.assign(this, { receive: undefined, [Symbol.asyncIterator]: undefined });
  }

  #encode(codec: Codec<T>, message: ValueLike<T>): MessageLike[] {
    const parts: readonly unknown[] = Array.isArray(message) ? message : [message];
    if (parts.length === 0) throw new TypeError("message must have at least one part, the value");
    const value = codec.encode(parts[parts.length - 1] as T);
    return [...(parts.slice(0, -1) as MessageLike[]), value];
  }

  #decode(codec: Codec<T>, parts: Message): ValueMessage<T> {
    let value: T;
    try {
      value = codec.decode(parts[parts.length - 1]);
    } catch (error) {
      throw new CodecError(parts, this.#name, error);
    }
    return [...parts.slice(0, -1), value] as unknown as ValueMessage<T>;
  }

  /** Encodes and calls at once if that can be, so that calls keep their order. */
  async #give<R>(message: ValueLike<T>, call: (parts: MessageLike[]) => Promise<R>): Promise<R> {
    if (!(this.#codec instanceof Promise)) return call(this.#encode(this.#codec, message));
    this.#waiting++;
    try {
      const codec = await this.#codec;
      if (this.#waiting === 1) this.#codec = codec;
      return call(this.#encode(codec, message));
    } finally {
      this.#waiting--;
    }
  }

  send(message: ValueLike<T>, options?: CallOptions): Promise<void> {
    return this.#give(message, (parts) => (this.socket as Sending).send(parts, options));
  }

  async request(message: ValueLike<T>, options?: RequestCallOptions): Promise<ValueMessage<T>> {
    const answer = await this.#give(message, (parts) => (this.socket as Requesting).request(parts, options));
    return this.#decode(await this.#codec, answer);
  }

  async receive(options?: CallOptions): Promise<ValueMessage<T>> {
    const codec = await this.#codec;
    for (;;) {
      const value = this.#valid(codec, await (this.socket as Receiving).receive(options));
      if (value !== undefined) return value;
    }
  }

  /** Undefined for a message that the program wants to hear of and not to get. */
  #valid(codec: Codec<T>, message: Message): ValueMessage<T> | undefined {
    try {
      return this.#decode(codec, message);
    } catch (error) {
      if (this.#invalid === undefined) throw error;
      this.#invalid(error as CodecError);
      return undefined;
    }
  }

  /** Ends when the socket closes. Who leaves while it waits takes no message along, as with the socket's own. */
  [Symbol.asyncIterator](): AsyncIterator<ValueMessage<T>, undefined> {
    const messages = (this.socket as unknown as AsyncIterable<Message, undefined>)[Symbol.asyncIterator]();
    return {
      next: async () => {
        const codec = await this.#codec;
        for (;;) {
          const step = await messages.next();
          if (step.done === true) return step;
          const value = this.#valid(codec, step.value);
          if (value !== undefined) return { value, done: false };
        }
      },
      return: async () => {
        await messages.return?.();
        return { value: undefined, done: true };
      },
    };
  }
}

/**
 * A socket's messages as values: the last part is encoded and decoded, the others stay bytes.
 * @param codec "json", "msgpack", or functions of the program
 * @throws TypeError for what is no socket, no codec, or for wrong options
 */
export function withCodec<T = unknown, S extends object = object>(
  socket: S,
  codec: "json" | "msgpack" | Codec<T>,
  options: CodecOptions = {},
): ValueSocket<T, S> {
  const { send, receive } = (socket ?? {}) as Partial<Sending & Receiving>;
  if (typeof send !== "function" && typeof receive !== "function")
    throw new TypeError("socket must be a socket");
  if (typeof options !== "object" || options === null) throw new TypeError("options must be an object");
  for (const name of Object.keys(options))
    if (name !== "invalid") throw new TypeError(`withCodec has no option "${name}"`);
  if (options.invalid !== undefined && typeof options.invalid !== "function")
    throw new TypeError("invalid must be a function");
  const name = typeof codec === "string" ? { json: "JSON", msgpack: "msgpack" }[codec] : "value of the codec";
  return new Values<T>(socket as never, name, codecOf<T>(codec), options) as unknown as ValueSocket<T, S>;
}
