/**
 * Socket with zeromq.js's members over a socket of the core, which stays hidden behind them. A message that need not wait
 * passes through without an extra promise.
 */
// biome-ignore-all lint/complexity/noArguments: zeromq.js counts what its calls are given
import { type Buffer, emitWarning } from "../base/platform.js";
import { checkAddress, checkCount, checkOptions, toMessage } from "./arguments.js";
import { type Context, coreOf, context as defaultContext } from "./context.js";
import { failure } from "./errors.js";
import { isNative, nativeClass, recognise } from "./native-class.js";
import { Observer, observeSockets } from "./observer.js";
import {
  checkId,
  convert,
  defineOptionProperties,
  type Kind,
  SOCKET_PROPERTIES,
} from "./settings/options.js";
import { makeSocket, SocketState } from "./state.js";

/** Number of a socket type, as `type` reads. */
export type SocketType = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16 | 17 | 18;

/** Options of all sockets. Of the security options, the one set last decides the mechanism. GSSAPI is not supported. */
export interface SocketClass {
  /** Stored but without effect: zwire has no I/O threads. */
  affinity: number;
  /** Kept and read back; it is for pgm. */
  rate: number;
  /** Kept and read back; it is for pgm. */
  recoveryInterval: number;
  linger: number;
  reconnectInterval: number;
  backlog: number;
  reconnectMaxInterval: number;
  maxMessageSize: number;
  tcpKeepalive: number;
  tcpKeepaliveCount: number;
  tcpKeepaliveIdle: number;
  tcpKeepaliveInterval: number;
  tcpAcceptFilter: string | null;
  immediate: boolean;
  ipv6: boolean;
  plainServer: boolean;
  plainUsername: string | null;
  plainPassword: string | null;
  curveServer: boolean;
  curvePublicKey: string | null;
  curveSecretKey: string | null;
  curveServerKey: string | null;
  gssapiServer: boolean;
  gssapiPrincipal: string | null;
  gssapiServicePrincipal: string | null;
  gssapiPlainText: boolean;
  gssapiPrincipalNameType: "hostBased" | "userName" | "krb5Principal";
  gssapiServicePrincipalNameType: "hostBased" | "userName" | "krb5Principal";
  zapDomain: string | null;
  typeOfService: number;
  handshakeInterval: number;
  socksProxy: string | null;
  heartbeatInterval: number;
  heartbeatTimeToLive: number;
  heartbeatTimeout: number;
  connectTimeout: number;
  tcpMaxRetransmitTimeout: number;
  /** Kept and read back; it is for pgm. */
  multicastMaxTransportDataUnit: number;
  vmciBufferSize: number;
  vmciBufferMinSize: number;
  vmciBufferMaxSize: number;
  vmciConnectTimeout: number;
  interface: string | null;
  zapEnforceDomain: boolean;
  /** Stored but without effect: an option for Windows. */
  loopbackFastPath: boolean;
  readonly type: SocketType;
  readonly lastEndpoint: string | null;
  readonly securityMechanism: null | "plain" | "curve" | "gssapi";
  readonly threadSafe: boolean;
}

let stateOf: (socket: unknown) => SocketState | undefined;

function requireState(socket: unknown): SocketState {
  const state = stateOf(socket);
  if (state === undefined) throw new TypeError("Illegal invocation");
  return state;
}

/** A socket of any type. */
export abstract class SocketClass {
  readonly #state: SocketState;

  static {
    stateOf = (socket) =>
      typeof socket === "object" && socket !== null && #state in socket ? socket.#state : undefined;
    recognise((value) => #state in value);
  }

  protected constructor(type: SocketType, options?: object) {
    if (typeof type !== "number") throw new TypeError("Socket type must be a number");
    if (options !== undefined) checkOptions(options);
    checkCount(arguments.length, 2);
    const { context = undefined, ...fields } = (options ?? {}) as { context?: Context };
    const given = options !== undefined && "context" in options;
    const core = coreOf(given ? context : defaultContext);
    if (core === undefined) {
      throw isNative(context) ? failure("EFAULT", "Context is closed") : new Error("Invalid argument");
    }
    this.#state = new SocketState(makeSocket(type, core), given ? (context as Context) : defaultContext);
    Object.seal(this);
    try {
      this.#state.takeOwnOptions(this, fields);
      Object.assign(this, fields);
    } catch (error) {
      this.#state.close();
      throw error;
    }
  }

  /** What happens to the connections. */
  get events(): Observer {
    const state = requireState(this);
    state.requireOptions();
    state.observer ??= new Observer(this);
    return state.observer;
  }

  get context(): Context {
    return requireState(this).context;
  }

  /** Whether close() has been called and no bind, unbind or proxy delays it. */
  get closed(): boolean {
    return requireState(this).core.closed;
  }

  /** Whether receive() would get a message at once. */
  get readable(): boolean {
    return requireState(this).readable;
  }

  /** Whether send() would complete at once. */
  get writable(): boolean {
    return requireState(this).writable;
  }

  /** Close the socket. Waiting calls fail with EAGAIN. `linger` applies to unsent messages. */
  close(): void {
    requireState(this).close();
  }

  /** Listen on an endpoint. Until it resolves, other calls about endpoints fail with EBUSY, and close() is delayed. */
  bind(address: string): Promise<void> {
    return forEndpoint(this, address, arguments.length).bind(address);
  }

  /** As bind(), but complete when it returns. */
  bindSync(address: string): void {
    forEndpoint(this, address, arguments.length).bindSync(address);
  }

  /** Release an endpoint: stop listening on it, and undo connect(). */
  unbind(address: string): Promise<void> {
    return forEndpoint(this, address, arguments.length).unbind(address);
  }

  /** As unbind(), but complete when it returns. */
  unbindSync(address: string): void {
    forEndpoint(this, address, arguments.length).endNow(address);
  }

  connect(address: string): void {
    forEndpoint(this, address, arguments.length).connect(address);
  }

  /** As unbindSync(): libzmq treats both alike. */
  disconnect(address: string): void {
    forEndpoint(this, address, arguments.length).endNow(address);
  }

  protected getBoolOption(option: number): boolean {
    return getOption(this, "Bool", option, arguments.length) as boolean;
  }

  protected setBoolOption(option: number, value: boolean): void {
    setOption(this, "Bool", option, value, arguments.length);
  }

  protected getInt32Option(option: number): number {
    return getOption(this, "Int32", option, arguments.length) as number;
  }

  protected setInt32Option(option: number, value: number): void {
    setOption(this, "Int32", option, value, arguments.length);
  }

  protected getUint32Option(option: number): number {
    return getOption(this, "Uint32", option, arguments.length) as number;
  }

  protected setUint32Option(option: number, value: number): void {
    setOption(this, "Uint32", option, value, arguments.length);
  }

  protected getInt64Option(option: number): number {
    return getOption(this, "Int64", option, arguments.length) as number;
  }

  protected setInt64Option(option: number, value: number): void {
    setOption(this, "Int64", option, value, arguments.length);
  }

  protected getUint64Option(option: number): number {
    return getOption(this, "Uint64", option, arguments.length) as number;
  }

  protected setUint64Option(option: number, value: number): void {
    setOption(this, "Uint64", option, value, arguments.length);
  }

  protected getStringOption(option: number): string | null {
    return getOption(this, "String", option, arguments.length) as string | null;
  }

  protected setStringOption(option: number, value: string | Buffer | null): void {
    setOption(this, "String", option, value, arguments.length);
  }
}

export const Socket = nativeClass(
  SocketClass,
  (build) =>
    function Socket(...args: unknown[]) {
      return build(new.target, args);
    },
);
export type Socket = SocketClass;

/** Checks a call about an endpoint. */
function forEndpoint(socket: unknown, address: unknown, count: number): SocketState {
  const state = requireState(socket);
  checkAddress(address);
  checkCount(count, 1);
  state.requireFree();
  return state;
}

function getOption(socket: unknown, kind: Kind, option: unknown, count: number): unknown {
  const state = requireState(socket);
  const id = checkId(option);
  checkCount(count, 1);
  state.requireOptions();
  return state.options.get(kind, id);
}

function setOption(socket: unknown, kind: Kind, option: unknown, given: unknown, count: number): void {
  const state = requireState(socket);
  const id = checkId(option);
  const value = convert(kind, given);
  checkCount(count, 2);
  state.requireOptions();
  state.options.set(kind, id, value);
}

/** For Proxy, and for subclasses in other files. */
export function internalsOf(socket: unknown): SocketState | undefined {
  return stateOf(socket);
}

defineOptionProperties(Socket.prototype, SOCKET_PROPERTIES, warnIfLate);

/** An endpoint takes its options when it is created. */
export function warnIfLate(socket: object): void {
  const { endpoints, busy } = requireState(socket);
  if (endpoints > 0 || busy) {
    emitWarning("Socket option will not take effect until next connect/bind.");
  }
}

// zeromq.js has these on every socket. The TypeScript types say which socket may use which; at run time the others throw.
Object.defineProperties(Socket.prototype, {
  send: {
    value: function send(this: Socket, message: unknown, options: unknown): Promise<void> {
      const state = requireState(this);
      state.requireOpen();
      if (state.sendTo !== null) return state.sendTo(message, options);
      const parts = toMessage(message);
      return parts === null ? Promise.resolve() : state.send(parts);
    },
  },
  receive: {
    value: function receive(this: Socket): Promise<unknown> {
      const state = requireState(this);
      state.requireOpen();
      return state.receive();
    },
  },
  join: {
    value: function join(this: Socket, ...groups: unknown[]): void {
      requireState(this).joinGroups("join", groups);
    },
  },
  leave: {
    value: function leave(this: Socket, ...groups: unknown[]): void {
      requireState(this).joinGroups("leave", groups);
    },
  },
  [Symbol.asyncIterator]: {
    value: function iterate(this: Socket): AsyncIterator<unknown, undefined> {
      return requireState(this).iterate();
    },
  },
});

// Like members of a native class, and like the options, they cannot be replaced by an assignment.
for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(Socket.prototype))) {
  if (name === "constructor") continue;
  const fixed = "value" in descriptor ? { writable: false } : {};
  Object.defineProperty(Socket.prototype, name, { ...fixed, enumerable: false, configurable: false });
}

observeSockets((socket) => stateOf(socket));
