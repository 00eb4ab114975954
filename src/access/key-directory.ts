/**
 * A folder of public certificates, as the list of who is let in. It is read again when it changes: by fs.watch, by a look every
 * few seconds where the file system tells nothing, and before a key that is not known is refused.
 */
import { type FSWatcher, watch } from "node:fs";
import { ZmqError } from "../base/errors.js";
import { Buffer, clearInterval, clearTimeout, setInterval, setTimeout } from "../base/platform.js";
import type { AuthenticationRequest } from "../security/authenticator.js";
import type { Authenticate, AuthenticationAnswer } from "../security/callback.js";
import { z85Encode } from "../security/crypto/z85.js";
import { watched } from "../security/key-watch.js";
import { isPropertyName, MAX_PROPERTIES } from "../security/properties.js";
import type { Certificate } from "./certificate.js";
import { checkPath } from "./files.js";
import { folderId, type KeyFiles, readFolder } from "./key-files.js";
import { Readings } from "./readings.js";
import { Telling } from "./telling.js";

/** Options of a folder of keys. */
export interface KeyDirectoryOptions {
  /** What the names of certificates end with. Other files are not looked at. Default `[".key", ".cert"]`. */
  readonly suffixes?: readonly string[];
  /**
   * Milliseconds between looks at the folder, beside what the file system tells of itself: network drives tell nothing.
   * 0: none. Default 5000.
   */
  readonly checkInterval?: number;
  /** Whether to listen to the file system. Default true. */
  readonly watch?: boolean;
}

/** A key that may enter, or may no more. */
export interface KeyEvent {
  /** 40 characters of Z85. */
  readonly publicKey: string;
  /** The file that it is, or was, in. */
  readonly file: string;
}

/** The events of a folder of keys, each with one argument. What is so at the start is in `certificates` and `errors`. */
export interface KeyDirectoryEvents {
  /** A key may enter from now on. */
  add: KeyEvent;
  /** A key is revoked: no file has it any more. */
  remove: KeyEvent;
  /** A file cannot be used. The key that it had before, if any, may still enter: `publicKey`. */
  "file:error": { readonly file: string; readonly publicKey?: string; readonly error: Error };
  /** The folder cannot be read. All that was known stays as it is. */
  "directory:error": { readonly path: string; readonly error: Error };
}

/** A burst of changes is read once it is over, this long after its first. */
const SETTLE_MS = 30;
/** A key that is not known is looked for so long after the last look at the soonest, and ten times what that took. */
const LOOK_MS = 100;

interface Entry {
  readonly certificate: Certificate;
  readonly file: string;
}

/** A folder of keys, made by keyDirectory(). It keeps no process alive. */
export class KeyDirectory extends Telling<KeyDirectoryEvents> {
  readonly path: string;
  /**
   * For the option `authenticate`: lets in who has proved to have a key of the folder. The user id is the public key in Z85, and
   * the peer has the metadata of its certificate. When a key is gone, the connections with it are dropped.
   */
  readonly authenticate: Authenticate;
  readonly #suffixes: readonly string[];
  readonly #watches: boolean;
  #files: KeyFiles = new Map();
  #keys: ReadonlyMap<string, Entry> = new Map();
  /** What was told of each file, so that a fault is told once. */
  #told: ReadonlyMap<string, string> = new Map();
  /** What was told of the folder, and of listening to it. */
  readonly #faults = { folder: "", watch: "" };
  readonly #watchers = new Set<() => void>();
  #watcher: FSWatcher | null = null;
  #watchedId = "";
  readonly #interval: NodeJS.Timeout | undefined;
  #settle: NodeJS.Timeout | undefined;
  readonly #readings = new Readings(() => this.#read(), LOOK_MS);
  #started = false;
  #closed = false;

  /** @internal use keyDirectory() */
  constructor(path: string, options: KeyDirectoryOptions) {
    super(["add", "remove", "file:error", "directory:error"]);
    const { suffixes, checkInterval, watch } = checkedOptions(options);
    this.path = path;
    this.#suffixes = suffixes;
    this.#watches = watch;
    if (checkInterval > 0) this.#interval = setInterval(() => this.#look(), checkInterval).unref();
    this.authenticate = watched((request: AuthenticationRequest) => this.#decide(request), {
      passes: (publicKey) => this.#keys.has(z85Encode(publicKey)),
      watch: (gone) => {
        const one = (): void => gone(); // the same function may watch twice
        this.#watchers.add(one);
        return () => void this.#watchers.delete(one);
      },
    });
  }

  /** The certificates by their public keys in Z85. */
  get certificates(): ReadonlyMap<string, Certificate> {
    return new Map([...this.#keys].map(([key, { certificate }]) => [key, certificate]));
  }

  /** How many keys may enter. */
  get size(): number {
    return this.#keys.size;
  }

  /** Whether a key, in Z85, may enter. */
  has(publicKey: string): boolean {
    return this.#keys.has(publicKey);
  }

  /** The files that cannot be used now, and why. */
  get errors(): ReadonlyMap<string, Error> {
    const errors = new Map<string, Error>();
    for (const { file, error } of this.#files.values()) if (error !== undefined) errors.set(file, error);
    return errors;
  }

  /** Reads the folder now. Rejects with the error of the file system if that cannot be; then nothing changes. */
  reload(): Promise<void> {
    if (this.#closed)
      return Promise.reject(new ZmqError("EBADF", { detail: "the folder of keys is closed" }));
    return this.#readings.again();
  }

  /** Stops looking. Nobody is let in any more; who is in stays. Resolves when no file is open. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#interval);
    clearTimeout(this.#settle);
    this.#settle = undefined;
    this.#unwatch();
    await this.#readings.last?.catch(() => {});
  }

  /** `await using` closes it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #decide(request: AuthenticationRequest): Promise<AuthenticationAnswer> {
    if (request.mechanism !== "CURVE") return { status: 400, text: "only CURVE has keys" };
    const publicKey = z85Encode(request.publicKey);
    // A change that is known of, but not read.
    await (this.#settle === undefined ? this.#readings.present : this.reload())?.catch(() => {});
    // The key of a new file must not be refused because nobody told of the file: a refused client does not come again.
    if (!this.#keys.has(publicKey)) await this.#readings.look().catch(() => {}); // an event has told
    if (this.#closed) return { status: 500, text: "the folder of keys is closed" };
    const entry = this.#keys.get(publicKey);
    if (entry === undefined) return { status: 400, text: "unknown key" };
    return { status: 200, text: "OK", userId: publicKey, metadata: propertiesOf(entry.certificate.metadata) };
  }

  #look(): void {
    this.reload().catch(() => {}); // an event has told
  }

  #changed(): void {
    if (this.#closed || this.#settle !== undefined) return;
    this.#settle = setTimeout(() => this.#look(), SETTLE_MS).unref();
  }

  async #read(): Promise<void> {
    clearTimeout(this.#settle);
    this.#settle = undefined;
    if (this.#closed) return;
    try {
      await this.#listen();
      const files = await readFolder(this.path, this.#suffixes, this.#files);
      if (!this.#closed) this.#apply(files);
      this.#faults.folder = "";
    } catch (error) {
      this.#fault("folder", error as Error);
      throw error;
    } finally {
      this.#started = true;
    }
  }

  /** Listens before the folder is read, and again if another folder has its name. */
  async #listen(): Promise<void> {
    const id = await folderId(this.path);
    if (this.#closed || !this.#watches || (this.#watcher !== null && id === this.#watchedId)) return;
    this.#unwatch();
    try {
      const watcher = watch(this.path, { persistent: false }, () => this.#changed());
      watcher.on("error", () => {
        if (this.#watcher === watcher) this.#unwatch();
        this.#changed();
      });
      this.#watcher = watcher;
      this.#watchedId = id;
      this.#faults.watch = "";
    } catch (error) {
      this.#fault("watch", error as Error); // too many watches, or a file system without: the looks go on
    }
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }

  #apply(files: KeyFiles): void {
    const before = this.#keys;
    const keys = new Map<string, Entry>();
    const told = new Map<string, string>();
    for (const { file, certificate, error } of files.values()) {
      if (certificate !== undefined && !keys.has(certificate.publicKey))
        keys.set(certificate.publicKey, { certificate, file });
      if (error === undefined) continue;
      const publicKey = certificate === undefined ? {} : { publicKey: certificate.publicKey };
      if (this.#told.get(file) !== error.message) this.tell("file:error", { file, ...publicKey, error });
      told.set(file, error.message);
    }
    this.#told = told;
    this.#files = files;
    this.#keys = keys;
    const gone = [...before].filter(([key]) => !keys.has(key));
    if (gone.length > 0) for (const one of [...this.#watchers]) one();
    for (const [publicKey, { file }] of gone) this.tell("remove", { publicKey, file });
    for (const [publicKey, { file }] of keys)
      if (!before.has(publicKey)) this.tell("add", { publicKey, file });
  }

  #fault(about: "folder" | "watch", error: Error): void {
    if (this.#faults[about] !== error.message && !this.#closed)
      this.tell("directory:error", { path: this.path, error });
    this.#faults[about] = error.message;
  }

  /** @internal nobody can listen to the first reading */
  protected override tell<E extends keyof KeyDirectoryEvents>(name: E, event: KeyDirectoryEvents[E]): void {
    if (this.#started) super.tell(name, event);
  }
}

/** @throws TypeError, RangeError naming the option */
function checkedOptions(options: unknown): Required<KeyDirectoryOptions> {
  if (typeof options !== "object" || options === null) throw new TypeError("options must be an object");
  for (const name of Object.keys(options))
    if (!["suffixes", "checkInterval", "watch"].includes(name))
      throw new TypeError(`unknown option "${name}"; there are suffixes, checkInterval and watch`);
  const { suffixes = [".key", ".cert"], checkInterval = 5000, watch = true } = options as KeyDirectoryOptions;
  if (
    !Array.isArray(suffixes) ||
    suffixes.length === 0 ||
    suffixes.some((one) => typeof one !== "string" || one === "")
  )
    throw new TypeError('suffixes must be an array of the ends of names, such as [".key"]');
  if (typeof checkInterval !== "number")
    throw new TypeError(`checkInterval must be a number; got ${typeof checkInterval}`);
  if (!Number.isInteger(checkInterval) || checkInterval < 0 || checkInterval > 0x7fffffff)
    throw new RangeError(`checkInterval must be an integer from 0 to 2147483647 ms; got ${checkInterval}`);
  if (typeof watch !== "boolean") throw new TypeError(`watch must be true or false; got ${typeof watch}`);
  return { suffixes: [...suffixes], checkInterval, watch };
}

const PROPERTY_BYTES = 16_384;
/** Names that a handshake has a meaning for. */
const TAKEN = /^(socket-type|identity|resource|user-id|peer-address|x-zwire-.*)$/i;

/** What of a certificate's metadata can be properties of a peer: their number and size are limited. */
function propertiesOf(metadata: Certificate["metadata"]): ReadonlyMap<string, Buffer> {
  const properties = new Map<string, Buffer>();
  let room = PROPERTY_BYTES;
  for (const [name, text] of Object.entries(metadata)) {
    if (!isPropertyName(name) || TAKEN.test(name)) continue;
    const value = Buffer.from(text);
    room -= name.length + value.length;
    if (room < 0 || properties.size === MAX_PROPERTIES) break;
    properties.set(name, value);
  }
  return properties;
}

/**
 * Reads a folder of public certificates, `*.key` as pyzmq's zmq.auth has them and `*.cert`, and follows its changes. Its
 * `authenticate` is for the option of the same name of a CURVE server.
 *
 * A new file lets its key in. When the last file with a key is gone, the key is revoked, and its connections are dropped. A file
 * that cannot be read, or is half written, keeps the key that it had, and so does a folder that cannot be read.
 *
 * Rejects with the error of the file system if the folder cannot be read; with a TypeError or RangeError for wrong arguments.
 */
export async function keyDirectory(path: string, options: KeyDirectoryOptions = {}): Promise<KeyDirectory> {
  const directory = new KeyDirectory(checkPath("path", path), options);
  try {
    await directory.reload();
  } catch (error) {
    await directory.close();
    throw error;
  }
  return directory;
}
