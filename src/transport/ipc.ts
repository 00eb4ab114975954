/**
 * ipc endpoints (items R13 to R18): a path, `*` for a temporary one, `@name` in Linux's abstract namespace. A stale
 * socket file is replaced; our own file is removed when we are done, unless somebody else has taken the path since.
 */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  unlinkSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { ZmqError } from "../base/errors.js";
import type { EngineAcceptor, StreamEngine } from "./contract/stream-engine.js";
import type { Acceptor, AcceptorHandler, Stream, Transport, TransportOptions } from "./contract/transport.js";
import { removeAtExit } from "./leftovers.js";

/** Bytes that fit in sockaddr_un before the terminating NUL. */
const PATH_MAX_BYTES = process.platform === "darwin" ? 103 : 107;

/**
 * SO_SNDBUF asked for where the application leaves it to us: Linux's default for unix sockets holds three messages of
 * 64 KiB, and the two sides then wait for each other; with this, 64 KiB messages went 1.4 times as fast. The kernel
 * gives what net.core.wmem_max allows.
 */
const SEND_BUFFER_BYTES = 1024 * 1024;

/** Checks an address and gives the path as the kernel takes it. */
export function ipcPath(address: string): string {
  if (address === "@")
    throw new ZmqError("EINVAL", { address: "ipc://@", detail: "an abstract name is empty" });
  if (Buffer.byteLength(address) > PATH_MAX_BYTES) {
    throw new ZmqError("ENAMETOOLONG", {
      address: `ipc://${address}`,
      detail: `at most ${PATH_MAX_BYTES} bytes`,
    });
  }
  if (!address.startsWith("@")) return address;
  if (process.platform !== "linux") {
    throw new ZmqError("EINVAL", {
      address: `ipc://${address}`,
      detail: "abstract names exist on Linux only",
    });
  }
  return `\0${address.slice(1)}`;
}

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

/** The socket file that is in the way of a bind; anything else is somebody's data and stays. */
function socketFile(path: string): Stats | undefined {
  const stat = statOf(path);
  if (stat === undefined || stat.isSocket()) return stat;
  throw new ZmqError("EADDRINUSE", { address: `ipc://${path}`, detail: "not a socket file" });
}

/** Makes way for a bind, whether or not somebody serves the path (R13). */
function takePath(path: string): void {
  if (socketFile(path) !== undefined) unlinkSync(path);
}

function isSame(one: Stats | undefined, other: Stats): boolean {
  return one !== undefined && one.ino === other.ino && one.dev === other.dev;
}

/** At once: between a look and a removal that is awaited somebody else could take the path. */
function removeIfOurs(path: string, ours: Stats): void {
  if (isSame(statOf(path), ours)) rmSync(path, { force: true });
}

/** R15: a new directory of mode 0700 under the first of TMPDIR, TEMPDIR, TMP, or the working directory. */
function temporaryDirectory(): string {
  const { TMPDIR, TEMPDIR, TMP } = process.env;
  return mkdtempSync(join(TMPDIR ?? TEMPDIR ?? TMP ?? ".", "tmp"));
}

/** The acceptor of a temporary path, which takes its directory along. */
function withDirectory(directory: string, acceptor: Acceptor): Acceptor {
  const forget = removeAtExit(() => rmSync(directory, { recursive: true, force: true }));
  const close = async (): Promise<void> => {
    await acceptor.close();
    await rm(directory, { recursive: true, force: true });
    forget();
  };
  return { ...acceptor, close };
}

/** ipcFileMode is for files that we make. @throws ZmqError EINVAL, ENOTSUP */
function checkMode({ ipcFileMode, useFd }: TransportOptions, path: string): void {
  if (ipcFileMode === null) return;
  if (process.platform === "win32") throw new ZmqError("ENOTSUP", { detail: "ipcFileMode on Windows" });
  if (useFd !== -1)
    throw new ZmqError("EINVAL", { detail: "ipcFileMode contradicts useFd: its file is there" });
  if (path.startsWith("\0")) {
    throw new ZmqError("EINVAL", { detail: "ipcFileMode: an abstract name has no file" });
  }
}

/** Where a socket is bound before its file gets the name and permissions that were asked for. */
interface Place {
  readonly path: string;
  /** A directory of ours that nobody else can enter; goes when the file has been moved out of it. */
  readonly directory: string | null;
}

function named(name: string, acceptor: EngineAcceptor): Acceptor {
  return {
    address: `ipc://${name}`,
    close: () => acceptor.close(),
    ref: () => acceptor.ref(),
    unref: () => acceptor.unref(),
  };
}

/** The scheme `ipc`. */
export class IpcTransport implements Transport {
  readonly #engine: StreamEngine;

  constructor(engine: StreamEngine) {
    this.#engine = engine;
  }

  checkBind(address: string, options: TransportOptions): void {
    this.#engine.checkOptions(options, "ipc");
    if (!this.isWildcard(address)) this.#engine.checkPath(ipcPath(address), address);
  }

  checkConnect(address: string, options: TransportOptions): void {
    this.#engine.checkOptions(options, "ipc");
    this.#engine.checkPath(ipcPath(address), address);
  }

  isWildcard(address: string): boolean {
    return address === "*";
  }

  async listen(
    address: string,
    options: TransportOptions,
    handler: AcceptorHandler,
    takeOver: boolean,
  ): Promise<Acceptor> {
    const tuned = this.#tuned(options);
    const path = ipcPath(address);
    checkMode(options, path);
    if (options.useFd !== -1) return this.#listenDescriptor(tuned, handler);
    if (this.isWildcard(address)) return this.#listenTemporary(tuned, handler);
    if (path.startsWith("\0")) {
      return named(address, await this.#engine.listenPipe(path, address, tuned, handler));
    }
    if (!takeOver) await this.#requireStale(path, tuned);
    takePath(path);
    return this.#listenFile(path, address, tuned, handler);
  }

  /**
   * Only connecting tells whether somebody serves a socket file. Looks again when the file was another's meanwhile.
   * @throws ZmqError EADDRINUSE where somebody does, or where it cannot be known
   */
  async #requireStale(path: string, options: TransportOptions): Promise<void> {
    for (let file = socketFile(path); file !== undefined; ) {
      let cause: unknown;
      try {
        const stream = await this.#engine.connectPipe(
          path,
          path,
          options,
          new AbortController().signal,
          true,
        );
        stream.close();
      } catch (error) {
        cause = error;
      }
      const code = (cause as NodeJS.ErrnoException | undefined)?.code;
      const now = socketFile(path);
      if (code === "ENOENT" || !isSame(now, file)) file = now;
      else if (code === "ECONNREFUSED") return;
      else {
        const detail =
          cause === undefined ? "another socket serves it" : "it cannot be told whether anybody serves it";
        throw new ZmqError("EADDRINUSE", { address: `ipc://${path}`, cause, detail });
      }
    }
  }

  /** R25: the path was made by somebody else, and stays. */
  async #listenDescriptor(options: TransportOptions, handler: AcceptorHandler): Promise<Acceptor> {
    const acceptor = await this.#engine.listenDescriptor("ipc", options, handler);
    return named(acceptor.address, acceptor);
  }

  #tuned(options: TransportOptions): TransportOptions {
    if (this.#engine.name !== "native" || options.sendBufferSize !== -1) return options;
    return { ...options, sendBufferSize: SEND_BUFFER_BYTES };
  }

  async #listenTemporary(options: TransportOptions, handler: AcceptorHandler): Promise<Acceptor> {
    const directory = temporaryDirectory();
    const path = join(directory, "socket");
    try {
      return withDirectory(directory, await this.#listenFile(ipcPath(path), path, options, handler));
    } catch (error) {
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }

  async #listenFile(
    path: string,
    name: string,
    options: TransportOptions,
    handler: AcceptorHandler,
  ): Promise<Acceptor> {
    const place = this.#prepare(path, name, options);
    try {
      const acceptor = await this.#engine.listenPipe(place.path, name, options, handler);
      return this.#finish(path, name, place, acceptor, options);
    } finally {
      if (place.directory !== null) rmSync(place.directory, { recursive: true, force: true });
    }
  }

  /** The path to bind, which is not always the one asked for. */
  #prepare(path: string, name: string, { ipcFileMode }: TransportOptions): Place {
    // R17: libuv reports a missing directory as EACCES.
    if (statOf(dirname(resolve(path))) === undefined) {
      throw new ZmqError("ENOENT", { address: `ipc://${name}` });
    }
    // node:net unlinks the path it bound when it closes, whoever owns it by then. Bound under another name and
    // renamed, only removeIfOurs decides.
    const plain = this.#engine.name === "native" || process.platform === "win32";
    if (plain && ipcFileMode === null) return { path, directory: null };
    const other = join(dirname(path), `.${process.pid.toString(36)}${(counter++).toString(36)}`);
    if (ipcFileMode === null) return { path: other, directory: null };
    // The system makes the file with what the umask leaves, and a umask is the whole process's: so it is made where
    // nobody else can reach it, and moved when its permissions are right.
    const bound = join(other, "s");
    if (Buffer.byteLength(bound) > PATH_MAX_BYTES) {
      const most = PATH_MAX_BYTES - Buffer.byteLength(bound) + Buffer.byteLength(path);
      const detail = `with ipcFileMode at most ${most} bytes in this directory`;
      throw new ZmqError("ENAMETOOLONG", { address: `ipc://${name}`, detail });
    }
    mkdirSync(other, { mode: 0o700 });
    return { path: bound, directory: other };
  }

  #finish(
    path: string,
    name: string,
    { path: bound }: Place,
    acceptor: EngineAcceptor,
    { ipcFileMode }: TransportOptions,
  ): Acceptor {
    const absolute = resolve(path);
    try {
      if (ipcFileMode !== null) chmodSync(bound, ipcFileMode);
      if (bound !== path) renameSync(bound, path);
    } catch (error) {
      void acceptor.close();
      throw error;
    }
    const ours = statOf(absolute) as Stats;
    const forget = removeAtExit(() => removeIfOurs(absolute, ours));
    return {
      address: `ipc://${name}`,
      close: async () => {
        try {
          forget();
          removeIfOurs(absolute, ours);
        } finally {
          await acceptor.close();
        }
      },
      ref: () => acceptor.ref(),
      unref: () => acceptor.unref(),
    };
  }

  listenSync(address: string, options: TransportOptions, handler: AcceptorHandler): Acceptor {
    if (options.useFd !== -1) throw new ZmqError("ENOTSUP", { detail: "bindSync() with useFd: use bind()" });
    const tuned = this.#tuned(options);
    const path = ipcPath(address);
    checkMode(options, path);
    if (this.isWildcard(address)) return this.#listenTemporarySync(tuned, handler);
    const engine = this.#engine;
    if (path.startsWith("\0")) return named(address, engine.listenPipeSync(path, address, tuned, handler));
    takePath(path); // connecting to see whether anybody serves it takes time
    return this.#listenFileSync(path, address, tuned, handler);
  }

  #listenFileSync(path: string, name: string, options: TransportOptions, handler: AcceptorHandler): Acceptor {
    const place = this.#prepare(path, name, options);
    try {
      const acceptor = this.#engine.listenPipeSync(place.path, name, options, handler);
      return this.#finish(path, name, place, acceptor, options);
    } finally {
      if (place.directory !== null) rmSync(place.directory, { recursive: true, force: true });
    }
  }

  #listenTemporarySync(options: TransportOptions, handler: AcceptorHandler): Acceptor {
    const directory = temporaryDirectory();
    const path = join(directory, "socket");
    try {
      return withDirectory(directory, this.#listenFileSync(ipcPath(path), path, options, handler));
    } catch (error) {
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }

  connect(address: string, options: TransportOptions, signal: AbortSignal, refed: boolean): Promise<Stream> {
    return this.#engine.connectPipe(ipcPath(address), address, this.#tuned(options), signal, refed);
  }
}

let counter = 0;
