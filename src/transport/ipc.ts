/**
 * ipc endpoints (items R13 to R18): a path, `*` for a temporary path, or `@name` in Linux's abstract namespace.
 * Listening replaces a stale socket file. Closing removes our own file, unless another program has taken the path
 * meanwhile.
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
 * The SO_SNDBUF that is requested if the application sets none. Linux's default for unix sockets holds three messages
 * of 64 KiB, and the two sides then wait for each other. With this value, messages of 64 KiB were 1.4 times as fast.
 * The kernel gives at most net.core.wmem_max.
 */
const SEND_BUFFER_BYTES = 1024 * 1024;

/**
 * Checks an address, and returns the path in the form that the kernel takes: an abstract name begins with NUL.
 * @throws ZmqError EINVAL, ENAMETOOLONG
 */
export function ipcPath(address: string): string {
  if (address === "@")
    throw new ZmqError("EINVAL", {
      address: "ipc://@",
      detail: "an abstract name needs at least one character after the @",
    });
  if (Buffer.byteLength(address) > PATH_MAX_BYTES) {
    throw new ZmqError("ENAMETOOLONG", {
      address: `ipc://${address}`,
      detail: `a path may have at most ${PATH_MAX_BYTES} bytes; this one has ${Buffer.byteLength(address)}`,
    });
  }
  if (!address.startsWith("@")) return address;
  if (process.platform !== "linux") {
    throw new ZmqError("EINVAL", {
      address: `ipc://${address}`,
      detail: "abstract names (@name) exist on Linux only: use a path",
    });
  }
  return `\0${address.slice(1)}`;
}

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

/**
 * The socket file at this path, if any. @throws ZmqError EADDRINUSE for any other file: it may hold data, so it stays
 */
function socketFile(path: string): Stats | undefined {
  const stat = statOf(path);
  if (stat === undefined || stat.isSocket()) return stat;
  throw new ZmqError("EADDRINUSE", {
    address: `ipc://${path}`,
    detail: "a file that is not a socket has this path: choose another path, or remove the file",
  });
}

/** Removes the socket file at this path, even if another socket serves it (R13). */
function takePath(path: string): void {
  if (socketFile(path) !== undefined) unlinkSync(path);
}

function isSame(one: Stats | undefined, other: Stats): boolean {
  return one !== undefined && one.ino === other.ino && one.dev === other.dev;
}

/**
 * Removes our socket file. Synchronous: another program could take the path between an asynchronous check and the
 * removal.
 */
function removeIfOurs(path: string, ours: Stats): void {
  if (isSame(statOf(path), ours)) rmSync(path, { force: true });
}

/** R15: a new directory of mode 0700 under the first of TMPDIR, TEMPDIR, TMP, or the working directory. */
function temporaryDirectory(): string {
  const { TMPDIR, TEMPDIR, TMP } = process.env;
  return mkdtempSync(join(TMPDIR ?? TEMPDIR ?? TMP ?? ".", "tmp"));
}

/** The acceptor of a temporary path; closing it removes its directory, too. */
function withDirectory(directory: string, acceptor: Acceptor): Acceptor {
  const forget = removeAtExit(() => rmSync(directory, { recursive: true, force: true }));
  const close = async (): Promise<void> => {
    await acceptor.close();
    await rm(directory, { recursive: true, force: true });
    forget();
  };
  return { ...acceptor, close };
}

/** Allows ipcFileMode only for a file that we make. @throws ZmqError EINVAL, ENOTSUP */
function checkMode({ ipcFileMode, useFd }: TransportOptions, path: string): void {
  if (ipcFileMode === null) return;
  if (process.platform === "win32")
    throw new ZmqError("ENOTSUP", { detail: "Windows does not have ipcFileMode" });
  if (useFd !== -1)
    throw new ZmqError("EINVAL", {
      detail: "ipcFileMode cannot be combined with useFd, whose file exists already",
    });
  if (path.startsWith("\0")) {
    throw new ZmqError("EINVAL", {
      detail: "ipcFileMode cannot be combined with an abstract name (@name), which has no file",
    });
  }
}

/**
 * Where a socket is bound at first; later its file gets the requested permissions and is moved to the requested path.
 */
interface Place {
  readonly path: string;
  /** A private directory that only our user can enter. It is removed when the file has been moved out of it. */
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
   * Finds out by connecting whether another socket serves the socket file. Checks again if the file was replaced
   * meanwhile.
   * @throws ZmqError EADDRINUSE if another socket serves it, or if this cannot be found out
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
          cause === undefined
            ? "another socket listens on it"
            : "cannot find out whether another socket listens on it";
        throw new ZmqError("EADDRINUSE", { address: `ipc://${path}`, cause, detail });
      }
    }
  }

  /** R25: another program made the socket file, so it stays. */
  async #listenDescriptor(options: TransportOptions, handler: AcceptorHandler): Promise<Acceptor> {
    const acceptor = await this.#engine.listenDescriptor("ipc", options, handler);
    return named(acceptor.address, acceptor);
  }

  /** The options with a default for the send buffer. The portable engine cannot set one. */
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

  /** Chooses the path to bind, which may differ from the requested one. */
  #prepare(path: string, name: string, { ipcFileMode }: TransportOptions): Place {
    // R17: checked here, because libuv reports a missing directory as EACCES.
    if (statOf(dirname(resolve(path))) === undefined) {
      throw new ZmqError("ENOENT", { address: `ipc://${name}` });
    }
    // When node:net closes, it unlinks the path that it bound, even if another program owns it by then. So bind another
    // path and rename the file: then only removeIfOurs removes it.
    const bindsRequested = this.#engine.name === "native" || process.platform === "win32";
    if (bindsRequested && ipcFileMode === null) return { path, directory: null };
    const other = join(dirname(path), `.${process.pid.toString(36)}${(counter++).toString(36)}`);
    if (ipcFileMode === null) return { path: other, directory: null };
    // The system creates the file with the permissions that the umask leaves, and the umask belongs to the whole
    // process. So create it in a private directory, and move it when its permissions are set.
    const bound = join(other, "s");
    if (Buffer.byteLength(bound) > PATH_MAX_BYTES) {
      const most = PATH_MAX_BYTES - Buffer.byteLength(bound) + Buffer.byteLength(path);
      const detail = `with ipcFileMode, a path in this directory may have at most ${most} bytes`;
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
    if (options.useFd !== -1)
      throw new ZmqError("ENOTSUP", { detail: "bindSync() cannot use useFd: use bind()" });
    const tuned = this.#tuned(options);
    const path = ipcPath(address);
    checkMode(options, path);
    if (this.isWildcard(address)) return this.#listenTemporarySync(tuned, handler);
    const engine = this.#engine;
    if (path.startsWith("\0")) return named(address, engine.listenPipeSync(path, address, tuned, handler));
    takePath(path); // cannot find out at once whether another socket serves it: connecting takes time
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

/** Makes the names of temporary paths distinct. */
let counter = 0;
