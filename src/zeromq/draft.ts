/**
 * The draft socket types of zeromq.js over Socket. They may change with the draft RFCs.
 */

import { Client as CoreClient } from "../api/sockets/draft/client.js";
import { Datagram as CoreDatagram } from "../api/sockets/draft/datagram.js";
import { Dish as CoreDish } from "../api/sockets/draft/dish.js";
import { Gather as CoreGather } from "../api/sockets/draft/gather.js";
import { Radio as CoreRadio } from "../api/sockets/draft/radio.js";
import { Scatter as CoreScatter } from "../api/sockets/draft/scatter.js";
import { Server as CoreServer } from "../api/sockets/draft/server.js";
import type { Buffer } from "../base/platform.js";
import { checkGroup, checkOptions, toMessage } from "./arguments.js";
import { failure } from "./errors.js";
import { OWN_PROPERTIES, READABLE_PROPERTIES, WRITABLE_PROPERTIES } from "./settings/options.js";
import { internalsOf, Socket } from "./socket.js";
import { registerType, type SocketState } from "./state.js";
import {
  defineType,
  type Message,
  type MessageLike,
  type Readable,
  type SocketOptions,
  type Writable,
} from "./types.js";

interface ServerRoutingOptions {
  /** Number of the peer, as received with a message. */
  routingId: number;
}

export class Server extends Socket {
  constructor(options?: SocketOptions<Server>) {
    super(12, options);
    addressed(this, (core: CoreServer, part, options) => {
      if (typeof options.routingId !== "number") throw new TypeError("A number was expected");
      return core.send(part, { routingId: options.routingId >>> 0 });
    });
  }
}
export interface Server
  extends Readable<[Message, ServerRoutingOptions]>,
    Writable<MessageLike, [ServerRoutingOptions]> {}

export class Client extends Socket {
  constructor(options?: SocketOptions<Client>) {
    super(13, options);
  }
}
export interface Client extends Readable<[Message]>, Writable<MessageLike> {}

interface RadioGroupOptions {
  group: Buffer | string;
}

export class Radio extends Socket {
  constructor(options?: SocketOptions<Radio>) {
    super(14, options);
    addressed(this, (core: CoreRadio, part, options) =>
      core.send(part, { group: checkGroup(options.group) }),
    );
  }
}
export interface Radio extends Writable<MessageLike, [RadioGroupOptions]> {}

interface DishGroupOptions {
  group: Buffer;
}

export class Dish extends Socket {
  constructor(options?: SocketOptions<Dish>) {
    super(15, options);
  }
}
export interface Dish extends Readable<[Message, DishGroupOptions]> {
  /** Receive what is sent to these groups. @throws Error EINVAL for one that is joined already */
  join(...values: Array<Buffer | string>): void;
  /** Undo join(). @throws Error EINVAL for one that is not joined */
  leave(...values: Array<Buffer | string>): void;
}

export class Gather extends Socket {
  constructor(options?: SocketOptions<Gather>) {
    super(16, options);
  }
}
export interface Gather extends Readable<[Message]> {
  conflate: boolean;
}

export class Scatter extends Socket {
  constructor(options?: SocketOptions<Scatter>) {
    super(17, options);
  }
}
export interface Scatter extends Writable<MessageLike> {
  conflate: boolean;
}

/** Single datagrams of udp: each message is an address, `192.0.2.1:5555`, and a body. A received address ends with a NUL. */
export class Datagram extends Socket {
  constructor(options?: SocketOptions<Datagram>) {
    super(18, options);
  }
}
export interface Datagram extends Readable<[Message, Message]>, Writable<[MessageLike, MessageLike]> {}

/** Send of a type whose messages need an address. */
function addressed<C>(
  socket: Socket,
  send: (core: C, part: Uint8Array, options: Record<string, unknown>) => Promise<void>,
): void {
  const state = internalsOf(socket) as SocketState;
  state.sendTo = (message, options) => {
    const part = toMessage(message);
    checkOptions(options);
    if (part === null || Array.isArray(part)) return Promise.reject(failure("EINVAL"));
    return state.passed(() => send(state.socket as C, part, options));
  };
}

const BOTH = [...WRITABLE_PROPERTIES, ...READABLE_PROPERTIES];

defineType(Server, BOTH);
defineType(Client, BOTH);
defineType(Radio, WRITABLE_PROPERTIES);
defineType(Dish, READABLE_PROPERTIES);
defineType(Gather, [...READABLE_PROPERTIES, OWN_PROPERTIES.conflate]);
defineType(Scatter, [...WRITABLE_PROPERTIES, OWN_PROPERTIES.conflate]);
defineType(Datagram, BOTH);

registerType(12, (options) => new CoreServer(options));
registerType(13, (options) => new CoreClient(options));
registerType(14, (options) => new CoreRadio(options));
registerType(15, (options) => new CoreDish(options));
registerType(16, (options) => new CoreGather(options));
registerType(17, (options) => new CoreScatter(options));
registerType(18, (options) => new CoreDatagram(options));
