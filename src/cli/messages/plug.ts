/**
 * Sockets of all types, with one form of message: an array of parts. Where a message has an address that is not one of its
 * parts (a number, a group), that becomes the first part, as text.
 */
import { Buffer } from "node:buffer";
import type { CallOptions, Message, MessageLike, Sendable, Socket } from "../../index.js";
import type { Parts } from "./formats.js";

/** A socket, with what it can do. */
export interface Plug {
  readonly socket: Socket;
  /** Absent if the type does not send. Rejects as the socket's sendMany(). */
  send?(messages: readonly Parts[], options: CallOptions): Promise<void>;
  /** Absent if the type does not receive. At least one message, at most `max`; rejects as the socket's receiveMany(). */
  receive?(max: number, options: CallOptions): Promise<Parts[]>;
}

/** Sockets as their classes have them. */
interface Sending {
  sendMany(messages: Iterable<Sendable>, options?: CallOptions): Promise<void>;
}
interface Receiving {
  receiveMany(max: number, options?: CallOptions): Promise<Message[]>;
}

/** A socket whose messages are arrays of parts. */
export function plain(socket: Socket & Partial<Sending & Receiving>): Plug {
  return {
    socket,
    ...(socket.sendMany !== undefined && {
      send: (messages: readonly Parts[], options: CallOptions) =>
        (socket as Socket & Sending).sendMany(messages, options),
    }),
    ...(socket.receiveMany !== undefined && {
      receive: (max: number, options: CallOptions) =>
        (socket as Socket & Receiving).receiveMany(max, options) as Promise<Parts[]>,
    }),
  };
}

/** A message of these types has an address and one part. @throws Error */
function pair(parts: Parts, address: string): [Buffer, Buffer] {
  if (parts.length !== 2)
    throw new Error(`a message must have two parts, ${address} and what is sent; got ${parts.length}`);
  return [parts[0], parts[1]];
}

type Numbered = readonly [MessageLike, { readonly routingId: number }];
interface NumberedSocket extends Socket {
  sendMany(messages: Iterable<Numbered>, options?: CallOptions): Promise<void>;
  receiveMany(max: number, options?: CallOptions): Promise<[Buffer, { readonly routingId: number }][]>;
}

/** A socket that addresses peers by number: Server, Peer. */
export function numbered(socket: NumberedSocket): Plug {
  const addressed = (parts: Parts): Numbered => {
    const [number, part] = pair(parts, "the number of a peer");
    return [part, { routingId: Number(number.toString("latin1")) }];
  };
  return {
    socket,
    send: async (messages, options) => socket.sendMany(messages.map(addressed), options),
    async receive(max, options) {
      const messages = await socket.receiveMany(max, options);
      return messages.map(([part, { routingId }]) => [Buffer.from(`${routingId}`), part]);
    },
  };
}

type Grouped = readonly [MessageLike, { readonly group: string | Uint8Array }];
interface RadioSocket extends Socket {
  sendMany(messages: Iterable<Grouped>, options?: CallOptions): Promise<void>;
}
interface DishSocket extends Socket {
  receiveMany(max: number, options?: CallOptions): Promise<[Buffer, { readonly group: Buffer }][]>;
}

/** A Radio: the first part is the group. */
export function radio(socket: RadioSocket): Plug {
  const grouped = (parts: Parts): Grouped => {
    const [group, part] = pair(parts, "a group");
    return [part, { group }];
  };
  return { socket, send: async (messages, options) => socket.sendMany(messages.map(grouped), options) };
}

/** A Dish: the first part is the group. */
export function dish(socket: DishSocket): Plug {
  return {
    socket,
    async receive(max, options) {
      const messages = await socket.receiveMany(max, options);
      return messages.map(([part, { group }]) => [group, part]);
    },
  };
}
