/**
 * ipc endpoints (items R13 to R18): a path, `*` for a temporary one, `@name` in Linux's abstract namespace. A stale
 * socket file is replaced; our own file is removed when we are done, unless somebody else has taken the path since.
 */
import { type Stats, statSync } from "node:fs";
import { mkdtemp, rename, rm, unlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { ZmqError } from "../errors.js";
import type { StreamEngine } from "./stream-engine.js";
import type { Acceptor, AcceptorHandler, Stream, Transport, TransportOptions } from "./transport.js";

/** Octets that fit in sockaddr_un before the terminating NUL. */
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
      detail: `at most ${PATH_MAX_BYTES} octets`,
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

/** Makes way for a bind: a socket file goes (R13), anything else is somebody's data and stays. */
async function replaceStale(path: string): Promise<void> {
  const stat = statOf(path);
  if (stat === undefined) return;
  if (!stat.isSocket())
    throw new ZmqError("EADDRINUSE", { address: `ipc://${path}`, detail: "not a socket file" });
  await unlink(path);
}

async function removeIfOurs(path: string, ours: Stats): Promise<void> {
  const now = statOf(path);
  if (now !== undefined && now.ino === ours.ino && now.dev === ours.dev) await rm(path, { force: true });
}

export class IpcTransport implements Transport {
  readonly #engine: StreamEngine;

  constructor(engine: StreamEngine) {
    this.#engine = engine;
  }

  async listen(address: string, options: TransportOptions, handler: AcceptorHandler): Promise<Acceptor> {
    const tuned = this.#tuned(options);
    if (options.useFd !== -1) return this.#listenDescriptor(tuned, handler);
    if (address === "*") return this.#listenTemporary(tuned, handler);
    const path = ipcPath(address);
    if (path.startsWith("\0")) return this.#listenAbstract(path, address, tuned, handler);
    await replaceStale(path);
    return this.#listenFile(path, address, tuned, handler);
  }

  /** R25: the path was made by somebody else, and stays. */
  async #listenDescriptor(options: TransportOptions, handler: AcceptorHandler): Promise<Acceptor> {
    const acceptor = await this.#engine.listenDescriptor("ipc", options, handler);
    return {
      address: `ipc://${acceptor.address}`,
      close: () => acceptor.close(),
      ref: () => acceptor.ref(),
      unref: () => acceptor.unref(),
    };
  }

  #tuned(options: TransportOptions): TransportOptions {
    if (this.#engine.name !== "native" || options.sendBufferSize !== -1) return options;
    return { ...options, sendBufferSize: SEND_BUFFER_BYTES };
  }

  /** R15: a directory of mode 0700 under the first of TMPDIR, TEMPDIR, TMP, or the working directory. */
  async #listenTemporary(options: TransportOptions, handler: AcceptorHandler): Promise<Acceptor> {
    const { TMPDIR, TEMPDIR, TMP } = process.env;
    const directory = await mkdtemp(join(TMPDIR ?? TEMPDIR ?? TMP ?? ".", "tmp"));
    const path = join(directory, "socket");
    try {
      const acceptor = await this.#listenFile(ipcPath(path), path, options, handler);
      const close = async (): Promise<void> => {
        await acceptor.close();
        await rm(directory, { recursive: true, force: true });
      };
      return { ...acceptor, close };
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  async #listenAbstract(
    path: string,
    name: string,
    options: TransportOptions,
    handler: AcceptorHandler,
  ): Promise<Acceptor> {
    const acceptor = await this.#engine.listenPipe(path, name, options, handler);
    return {
      address: `ipc://${name}`,
      close: () => acceptor.close(),
      ref: () => acceptor.ref(),
      unref: () => acceptor.unref(),
    };
  }

  async #listenFile(
    path: string,
    name: string,
    options: TransportOptions,
    handler: AcceptorHandler,
  ): Promise<Acceptor> {
    const absolute = resolve(path);
    // R17: libuv reports a missing directory as EACCES.
    if (statOf(dirname(absolute)) === undefined) throw new ZmqError("ENOENT", { address: `ipc://${name}` });
    // node:net unlinks the path it bound when it closes, whoever owns it by then. Bound under another name and
    // renamed, only removeIfOurs decides.
    const portable = this.#engine.name === "portable" && process.platform !== "win32";
    const bound = portable
      ? join(dirname(path), `.${process.pid.toString(36)}${(counter++).toString(36)}`)
      : path;
    const acceptor = await this.#engine.listenPipe(bound, name, options, handler);
    if (portable) await rename(bound, path);
    const ours = statOf(absolute) as Stats;
    return {
      address: `ipc://${name}`,
      close: async () => {
        await removeIfOurs(absolute, ours);
        await acceptor.close();
      },
      ref: () => acceptor.ref(),
      unref: () => acceptor.unref(),
    };
  }

  connect(address: string, options: TransportOptions, signal: AbortSignal): Promise<Stream> {
    return this.#engine.connectPipe(ipcPath(address), address, this.#tuned(options), signal);
  }
}

let counter = 0;
