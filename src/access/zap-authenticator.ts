/**
 * Who may enter, by address, password and key, under the names that pyzmq's zmq.auth has. For the option `authenticate` of a
 * socket, and as the ZAP handler of all sockets of a context.
 */
import type { Context } from "../core/context.js";
import type { AuthenticationRequest } from "../security/authenticator.js";
import type { Authenticate, AuthenticationAnswer } from "../security/callback.js";
import type { CurveKey } from "../security/crypto/keys.js";
import { z85Encode } from "../security/crypto/z85.js";
import { handlerKeys, keyWatchOf, watched } from "../security/key-watch.js";
import { Addresses, authenticators, keyAnswer, keySet } from "./authenticators.js";
import { KeyDirectory, keyDirectory } from "./key-directory.js";
import { PasswordFile, type Passwords, passwordFile } from "./passwords.js";
import { ZapHandler } from "./zap-handler.js";

/** Where `Authenticator.start` binds its handler. */
export interface AuthenticatorStartOptions {
  /** The context whose sockets ask. Default: that of sockets that name none. */
  readonly context?: Context;
}

/** What stands for all domains, and for all keys. */
const ANY = "*";

/** One list of keys or passwords. */
interface List {
  readonly decide: Authenticate;
  /** Whether a key is on it; for lists of keys. */
  has(publicKey: Uint8Array): boolean;
  /** Lets go of what the list opened. */
  close(): Promise<void>;
}

/** Decides about peers. Until it is told more, it lets in peers without a mechanism, and refuses PLAIN and CURVE, as pyzmq's does. */
export class Authenticator {
  /** For the option `authenticate`. */
  readonly authenticate: Authenticate;
  readonly #allowed = new Addresses();
  readonly #denied = new Addresses();
  readonly #passwords = new Map<string, List>();
  readonly #keys = new Map<string, List>();
  readonly #watchers = new Set<() => void>();
  #handler: ZapHandler | null = null;
  /** What undoes its word on the keys of the context. */
  #unguard = (): void => {};

  constructor() {
    this.authenticate = watched(
      (request: AuthenticationRequest, signal: AbortSignal) => this.#decide(request, signal),
      {
        passes: (key: Uint8Array, domain: string) => this.#passes(key, domain),
        watch: (gone: () => void) => {
          const one = (): void => gone(); // the same function may watch twice
          this.#watchers.add(one);
          return () => void this.#watchers.delete(one);
        },
      },
    );
  }

  /**
   * Lets in peers from these addresses and networks only, as `authenticators.allow`. Under PLAIN and CURVE they must have a
   * password or a key as well.
   * @throws TypeError, RangeError for what is no address; TypeError after deny()
   */
  allow(...addresses: string[]): this {
    if (!this.#denied.empty)
      throw new TypeError("allow() contradicts deny(): there is one list of addresses");
    this.#allowed.add(addresses);
    return this;
  }

  /** Refuses peers from these addresses and networks. @throws as allow */
  deny(...addresses: string[]): this {
    if (!this.#allowed.empty)
      throw new TypeError("deny() contradicts allow(): there is one list of addresses");
    this.#denied.add(addresses);
    return this;
  }

  /**
   * The users of a ZAP domain, in place of those that it had. Rejects as passwordFile().
   * @param domain `"*"`: of all domains that have no users of their own
   * @param passwords by user name, or the path of a file: see passwordFile()
   * @throws TypeError, RangeError for wrong arguments
   */
  async configurePlain(domain: string, passwords: Passwords | PasswordFile | string): Promise<void> {
    checkDomain(domain);
    const given = typeof passwords === "string" ? await passwordFile(passwords) : passwords;
    const decide = given instanceof PasswordFile ? given.authenticate : authenticators.plain(given);
    this.#passwords.set(domain, { decide, has: () => false, close: async () => {} });
  }

  /**
   * The keys of a ZAP domain, in place of those that it had. Connections with keys that are not there any more are dropped.
   * Rejects as keyDirectory().
   * @param domain `"*"`: of all domains that have no keys of their own
   * @param location the path of a folder of certificates, which is followed, see keyDirectory(); public keys; or `"*"` for all keys
   * @throws TypeError, RangeError for wrong arguments
   */
  async configureCurve(domain: string, location: string | KeyDirectory | Iterable<CurveKey>): Promise<void> {
    checkDomain(domain);
    const list = await this.#keyList(location);
    const before = this.#keys.get(domain);
    this.#keys.set(domain, list);
    await before?.close();
    this.#gone();
  }

  async #keyList(location: string | KeyDirectory | Iterable<CurveKey>): Promise<List> {
    if (location === ANY)
      return { decide: (request) => keyAnswer(undefined, request), has: () => true, close: async () => {} };
    const opened = typeof location === "string" ? await keyDirectory(location) : undefined;
    const keys = opened ?? location;
    if (!(keys instanceof KeyDirectory)) {
      const known = keySet(keys);
      return {
        decide: (request) => keyAnswer(known, request),
        has: (key) => known.has(z85Encode(key)),
        close: async () => {},
      };
    }
    const unwatch = keyWatchOf(keys.authenticate)?.watch?.(() => this.#gone());
    return {
      decide: keys.authenticate,
      has: (key) => keys.has(z85Encode(key)),
      close: async () => {
        unwatch?.();
        await opened?.close();
      },
    };
  }

  #passes(key: Uint8Array, domain: string): boolean {
    return listOf(this.#keys, domain)?.has(key) ?? false;
  }

  #gone(): void {
    for (const one of [...this.#watchers]) one();
    this.#handler?.context.recheckKeys();
  }

  async #decide(request: AuthenticationRequest, signal: AbortSignal): Promise<AuthenticationAnswer> {
    const { address, domain, mechanism } = request;
    if (!this.#allowed.empty && !this.#allowed.has(address))
      return { status: 400, text: "address is not allowed" };
    if (this.#denied.has(address)) return { status: 400, text: "address is denied" };
    if (mechanism === "NULL") return true;
    const list = listOf(mechanism === "PLAIN" ? this.#passwords : this.#keys, domain);
    return list === undefined ? { status: 400, text: "unknown domain" } : list.decide(request, signal);
  }

  /**
   * Answers for all sockets of a context that ask and have no `authenticate` of their own, in all threads: binds
   * `inproc://zeromq.zap.01`. When keys have gone, those sockets of this thread drop connections whose keys are not in the list of
   * their domain, also those of before the start. The process may end while it runs. Rejects with ZmqError EADDRINUSE if the context has a handler.
   * @throws TypeError for wrong options, and if it has been started
   */
  async start(options: AuthenticatorStartOptions = {}): Promise<void> {
    if (typeof options !== "object" || options === null) throw new TypeError("options must be an object");
    for (const name of Object.keys(options))
      if (name !== "context") throw new TypeError(`unknown option "${name}"; there is context`);
    if (this.#handler !== null) throw new TypeError("it has been started");
    const handler = new ZapHandler(options.context, (request, signal) => this.#decide(request, signal));
    this.#handler = handler;
    try {
      await handler.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#unguard = handlerKeys(handler.context, (key, domain) => this.#passes(key, domain));
  }

  /** Stops answering: from then on nobody is let in who has to be asked about. Who is in stays. */
  async stop(): Promise<void> {
    const handler = this.#handler;
    this.#handler = null;
    this.#unguard();
    await handler?.stop();
  }

  /** Stops, and closes the folders that it has opened. */
  async close(): Promise<void> {
    await this.stop();
    await Promise.all([...this.#keys.values()].map((list) => list.close()));
  }

  /** `await using` closes it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function listOf(lists: ReadonlyMap<string, List>, domain: string): List | undefined {
  return lists.get(domain) ?? lists.get(ANY);
}

/** @throws TypeError */
function checkDomain(domain: unknown): void {
  if (typeof domain !== "string") throw new TypeError(`domain must be a string; got ${typeof domain}`);
}
