/**
 * The native engine: it connects and listens with the addon. What passes through a connection is handled in stream.ts.
 */
import { ZmqError } from "../../base/errors.js";
import { recycledBuffer } from "../../engine/incoming/recycler.js";
import { keepTogether } from "../contract/keep-together.js";
import {
  descriptorError,
  type EngineAcceptor,
  type EngineStream,
  ipv6Only,
  type Masking,
  requireDefaults,
  type StreamEngine,
  type TcpTarget,
} from "../contract/stream-engine.js";
import type { AcceptorHandler, LoanMemory, Stream, TransportOptions } from "../contract/transport.js";
import {
  type Addon,
  addon,
  type NativeAcceptorHandle,
  type NativeSocketOptions,
  type NativeStreamHandle,
} from "./addon.js";
import { NativeLoanMemory } from "./loan-memory.js";
import { frameTable, NativeStream, systemError } from "./stream.js";

/** Systems with SO_BINDTODEVICE, TCP_USER_TIMEOUT and SO_PEERCRED. */
const LINUX = process.platform === "linux" || process.platform === "android";

const LINUX_ONLY = [
  "interface",
  "priority",
  "busyPoll",
  "tcpMaxRetransmitTimeout",
  "ipcFilterUserIds",
  "ipcFilterGroupIds",
  "ipcFilterProcessIds",
] as const;

/** The number that `init` returned to this copy of the module. */
let binding: number | undefined;

/** The owner of a handle while it connects. */
class PendingConnect {
  onConnect: (status: number) => void = () => {};
}

class NativeAcceptor implements EngineAcceptor {
  readonly #handle: NativeAcceptorHandle;
  readonly #native: Addon;
  readonly #handler: AcceptorHandler;
  readonly #wrap: (stream: NativeStreamHandle) => Stream;
  readonly #admit: Admission | undefined;

  constructor(
    native: Addon,
    handle: NativeAcceptorHandle,
    handler: AcceptorHandler,
    wrap: (stream: NativeStreamHandle) => Stream,
    admit?: Admission,
  ) {
    this.#native = native;
    this.#handle = handle;
    this.#handler = handler;
    this.#wrap = wrap;
    this.#admit = admit;
    handle.setOwner(this);
  }

  get port(): number {
    return Number(this.#handle.localAddress().split(":").pop());
  }

  get address(): string {
    return this.#handle.localAddress();
  }

  /** Reads an integer socket option, for tests. */
  getSocketOption(level: number, name: number): number {
    return this.#handle.getSocketOption(level, name);
  }

  close(): Promise<void> {
    this.#handle.close();
    return Promise.resolve();
  }

  ref(): void {
    this.#handle.ref();
  }

  unref(): void {
    this.#handle.unref();
  }

  onAccept(status: number, stream: NativeStreamHandle | undefined): void {
    if (stream === undefined) this.#handler.onError(systemError(this.#native, status));
    else {
      const refused = this.#admit?.(stream);
      if (refused === undefined) this.#handler.onStream(this.#wrap(stream));
      else {
        stream.close();
        this.#handler.onError(refused);
      }
    }
  }
}

/** Returns why an accepted connection has to be closed at once; undefined if it may stay. */
type Admission = (stream: NativeStreamHandle) => Error | undefined;

/** R19: an ipc peer must be in one of the lists, unless all are empty. */
function ipcAdmission(native: Addon, options: TransportOptions): Admission | undefined {
  const { ipcFilterUserIds: users, ipcFilterGroupIds: groups, ipcFilterProcessIds: processes } = options;
  if (users.length + groups.length + processes.length === 0) return undefined;
  return (stream) => {
    const peer = stream.getPeerCredentials();
    if (typeof peer === "number") return systemError(native, peer);
    const [pid, uid, gid] = peer;
    if (users.includes(uid) || groups.includes(gid) || processes.includes(pid)) return undefined;
    const detail = `no ipcFilter option allows process ${pid} of user ${uid} and group ${gid}`;
    return new ZmqError("EACCES", { detail });
  };
}

function socketOptions(options: TransportOptions): NativeSocketOptions {
  return {
    sendBufferSize: options.sendBufferSize,
    receiveBufferSize: options.receiveBufferSize,
    tcpKeepalive: options.tcpKeepalive,
    tcpKeepaliveCount: options.tcpKeepaliveCount,
    tcpKeepaliveIdle: options.tcpKeepaliveIdle,
    tcpKeepaliveInterval: options.tcpKeepaliveInterval,
    typeOfService: options.typeOfService,
    interface: options.interface ?? undefined,
    priority: options.priority,
    busyPoll: options.busyPoll,
    tcpMaxRetransmitTimeout: options.tcpMaxRetransmitTimeout,
  };
}

/** The native engine, or undefined if the addon does not load. */
export function nativeEngine(): StreamEngine | undefined {
  const native = addon();
  if (native === undefined) return undefined;
  if (binding === undefined) {
    const prototype = NativeStream.prototype;
    binding = native.init(frameTable, {
      onConnect(this: unknown, status) {
        (this as PendingConnect).onConnect(status);
      },
      onBytes: prototype.onBytes,
      onFrames: prototype.onFrames,
      onLargeFrame: prototype.onLargeFrame,
      onDrain: prototype.onDrain,
      onMemory: prototype.onMemory,
      onClose: prototype.onClose,
      onAccept: NativeAcceptor.prototype.onAccept,
      onShared: keepTogether,
      onBody: recycledBuffer,
      onPool: prototype.onPool,
    } as Parameters<Addon["init"]>[1]);
  }
  return new NativeEngine(native, binding);
}

/** Options that the system may lack, or may refuse to this process. */
const REFUSABLE = ["interface", "priority", "busyPoll"] as const;

class NativeEngine implements StreamEngine {
  readonly name = "native";
  readonly #native: Addon;
  readonly #binding: number;

  constructor(native: Addon, binding: number) {
    this.#native = native;
    this.#binding = binding;
  }

  get mask(): Masking {
    return this.#native.mask;
  }

  loanMemory(bytes: number): LoanMemory | undefined {
    return LINUX ? NativeLoanMemory.make(this.#native, bytes) : undefined;
  }

  checkOptions(options: TransportOptions, scheme: "tcp" | "ipc"): void {
    if (!LINUX) requireDefaults(options, LINUX_ONLY, "Linux");
    if (scheme !== "tcp") return;
    for (const name of REFUSABLE) {
      const value = options[name];
      if (value === null || value === 0) continue;
      const status = this.#native.checkTcp({ [name]: value });
      if (status >= 0) continue;
      const cause = systemError(this.#native, status);
      const detail = `${name}: ${JSON.stringify(value)}: ${cause.message}`;
      throw new ZmqError(cause.code ?? "EINVAL", { cause, detail });
    }
  }

  checkPath(): void {
    // Can use every path, and abstract names.
  }

  connectTcp(
    target: TcpTarget,
    options: TransportOptions,
    signal: AbortSignal,
    refed: boolean,
  ): Promise<EngineStream> {
    return this.#connect(signal, refed, (handle) => {
      const { sourceHost, sourcePort } = target;
      const native: NativeSocketOptions = { ...socketOptions(options) };
      if (sourceHost !== undefined) Object.assign(native, { sourceHost, sourcePort: sourcePort ?? 0 });
      return handle.connectTcp(target.host, target.port, native);
    }).then((handle) => this.#tcpStream(handle));
  }

  connectPipe(
    path: string,
    name: string,
    options: TransportOptions,
    signal: AbortSignal,
    refed: boolean,
  ): Promise<Stream> {
    return this.#connect(signal, refed, (handle) => handle.connectPipe(path, socketOptions(options))).then(
      (handle) => new NativeStream(this.#native, handle, `ipc://${name}`, false),
    );
  }

  #connect(
    signal: AbortSignal,
    refed: boolean,
    begin: (handle: NativeStreamHandle) => number,
  ): Promise<NativeStreamHandle> {
    return new Promise((resolve, reject) => {
      const handle = new this.#native.Stream(this.#binding);
      const pending = new PendingConnect();
      const abort = (): void => {
        handle.close();
        reject(signal.reason);
      };
      pending.onConnect = (status) => {
        signal.removeEventListener("abort", abort);
        if (status < 0) {
          handle.close();
          reject(systemError(this.#native, status));
        } else resolve(handle);
      };
      handle.setOwner(pending);
      const status = begin(handle);
      if (status < 0) {
        handle.close();
        reject(systemError(this.#native, status));
        return;
      }
      if (!refed) handle.unref();
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  #tcpStream(handle: NativeStreamHandle): EngineStream {
    return new NativeStream(this.#native, handle, `tcp://${handle.remoteAddress()}`);
  }

  async listenTcp(
    host: string,
    port: number,
    options: TransportOptions,
    handler: AcceptorHandler,
  ): Promise<EngineAcceptor> {
    return this.listenTcpSync(host, port, options, handler);
  }

  listenTcpSync(
    host: string,
    port: number,
    options: TransportOptions,
    handler: AcceptorHandler,
  ): EngineAcceptor {
    const handle = new this.#native.Acceptor(this.#binding);
    const acceptor = new NativeAcceptor(this.#native, handle, handler, (stream) => this.#tcpStream(stream));
    const { backlog } = options;
    this.#check(handle, handle.listenTcp(host, port, backlog, ipv6Only(host), socketOptions(options)));
    return acceptor;
  }

  async listenPipe(
    path: string,
    name: string,
    options: TransportOptions,
    handler: AcceptorHandler,
  ): Promise<EngineAcceptor> {
    return this.listenPipeSync(path, name, options, handler);
  }

  listenPipeSync(
    path: string,
    name: string,
    options: TransportOptions,
    handler: AcceptorHandler,
  ): EngineAcceptor {
    const handle = new this.#native.Acceptor(this.#binding);
    const wrap = (stream: NativeStreamHandle): Stream =>
      new NativeStream(this.#native, stream, `ipc://${name}`, true);
    const admit = ipcAdmission(this.#native, options);
    const acceptor = new NativeAcceptor(this.#native, handle, handler, wrap, admit);
    this.#check(handle, handle.listenPipe(path, options.backlog, socketOptions(options)));
    return acceptor;
  }

  async listenDescriptor(
    scheme: "tcp" | "ipc",
    options: TransportOptions,
    handler: AcceptorHandler,
  ): Promise<EngineAcceptor> {
    const handle = new this.#native.Acceptor(this.#binding);
    const tcp = scheme === "tcp";
    const wrap = (stream: NativeStreamHandle): Stream => {
      if (tcp) return this.#tcpStream(stream);
      return new NativeStream(this.#native, stream, `ipc://${address}`, true);
    };
    const admit = tcp ? undefined : ipcAdmission(this.#native, options);
    const acceptor = new NativeAcceptor(this.#native, handle, handler, wrap, admit);
    const status = handle.listenDescriptor(options.useFd, tcp, socketOptions(options));
    const code = status < 0 ? this.#native.errorName(status)[0] : "";
    if (code === "EINVAL" || code === "EEXIST") {
      handle.close();
      throw descriptorError(
        options.useFd,
        scheme,
        code === "EEXIST" ? "another socket of this thread uses it already" : undefined,
      );
    }
    this.#check(handle, status);
    const { address } = acceptor;
    return acceptor;
  }

  #check(handle: NativeAcceptorHandle, status: number): void {
    if (status >= 0) return;
    handle.close();
    const cause = systemError(this.#native, status);
    throw new ZmqError(cause.code ?? "EINVAL", { cause });
  }
}
