/**
 * An endpoint with a name, connected to every address that the name has: one dialler for each. Looks the name up again
 * and again, dials what is new, and lets go of what is gone. Knows neither diallers nor name servers: both are given.
 */

import type { Deadline } from "../base/deadline.js";
import { meant } from "../base/nearest.js";
import { isIPv4, isIPv6 } from "../base/platform.js";
import type { EndpointHandle, SocketHost } from "../session/host.js";
import type { LookupAll } from "../transport/contract/transport.js";
import { Backoff } from "./backoff.js";

/** Options of one connect(). */
export interface ConnectOptions {
  /**
   * Connect to every address of the host name, and follow changes: an address that is new is dialled, one that is gone is
   * disconnected. For tcp, tls+tcp, ws and wss. Default false: one connection, to the first address that answers.
   */
  readonly all?: boolean;
  /** With `all`: looks the name up, in the form of node:dns.lookup with `all: true`. Default: node:dns.lookup. */
  readonly lookup?: LookupAll;
  /** With `all`: milliseconds between two look-ups; 0 looks up once only. Default 30000. */
  readonly refresh?: number;
}

/** The checked options. */
export interface EveryAddressOptions {
  readonly lookup: LookupAll | undefined;
  readonly refresh: number;
}

const NAMES = ["all", "lookup", "refresh"];
const REFRESH_MS = 30_000;
const LONGEST_MS = 2 ** 31 - 1;
/** An answer with more addresses is refused: each would be a connection. */
const MOST_ADDRESSES = 1024;
/** Look-ups without an answer at most: the functions that make them cannot be stopped. */
const MOST_PENDING = 4;
/** A name without an address that is not refreshed is asked for again after this time, if there is no reconnectInterval. */
const ASK_AGAIN_MS = 30_000;

/**
 * Checks the options of connect(). undefined: one connection.
 * @param more names of options that the socket type has beside
 * @throws TypeError or RangeError naming the option
 */
export function checkConnectOptions(
  options: ConnectOptions | undefined,
  more: readonly string[],
): EveryAddressOptions | undefined {
  if (options === undefined) return undefined;
  if (typeof options !== "object" || options === null) throw new TypeError("options must be an object");
  for (const name of Object.keys(options)) {
    if (!NAMES.includes(name) && !more.includes(name))
      throw new TypeError(`connect has no option "${name}"${meant(name, [...NAMES, ...more])}`);
  }
  const { all = false, lookup, refresh } = options;
  if (typeof all !== "boolean") throw new TypeError(`all must be a boolean; got ${typeof all}`);
  if (lookup !== undefined && typeof lookup !== "function")
    throw new TypeError(`lookup must be a function; got ${lookup === null ? "null" : typeof lookup}`);
  if (refresh !== undefined && typeof refresh !== "number")
    throw new TypeError(`refresh must be a number (milliseconds); got ${typeof refresh}`);
  if (refresh !== undefined && !(Number.isInteger(refresh) && refresh >= 0 && refresh <= LONGEST_MS))
    throw new RangeError(`refresh must be an integer from 0 to ${LONGEST_MS} (milliseconds); got ${refresh}`);
  if (!all && (lookup !== undefined || refresh !== undefined))
    throw new TypeError(`${lookup === undefined ? "refresh" : "lookup"} needs all: true`);
  return all ? { lookup, refresh: refresh ?? REFRESH_MS } : undefined;
}

/** What is dialled, and how. */
export interface EveryAddressTarget {
  readonly endpoint: string;
  /** The name to look up. */
  readonly name: string;
  readonly lookup: LookupAll;
  readonly refresh: number;
}

/** The socket's diallers. */
export interface Diallers {
  /** Dials an address, which must fit the options. */
  dial(address: string): EndpointHandle;
  /** The address is gone. */
  letGo(handle: EndpointHandle): void;
}

export class EveryAddress implements EndpointHandle {
  readonly endpoint: string;
  readonly #host: SocketHost;
  readonly #target: EveryAddressTarget;
  readonly #diallers: Diallers;
  readonly #backoff: Backoff;
  /** By address. One that the program has disconnected, or that has given up, stays until its record is gone. */
  readonly #handles = new Map<string, EndpointHandle>();
  #timer: Deadline | undefined;
  /** The number of the look-up whose answer counts. */
  #asked = 0;
  #pending = 0;
  #answered = true;
  #closed = false;

  constructor(host: SocketHost, target: EveryAddressTarget, diallers: Diallers) {
    this.#host = host;
    this.#target = target;
    this.#diallers = diallers;
    this.endpoint = target.endpoint;
    const { reconnectInterval, reconnectMaxInterval } = host.options;
    this.#backoff = new Backoff(reconnectInterval, reconnectMaxInterval, () => host.runtime.random());
  }

  /** The diallers of the addresses that the name had last. */
  get handles(): readonly EndpointHandle[] {
    return [...this.#handles.values()];
  }

  start(): void {
    this.#look();
  }

  #look(): void {
    const asked = ++this.#asked;
    this.#answered = false;
    // The next look-up comes in time whatever becomes of this one: what has not answered by then does not count.
    this.#wait(this.#target.refresh > 0 ? this.#target.refresh : ASK_AGAIN_MS);
    if (this.#pending >= MOST_PENDING) return;
    this.#pending++;
    const { name, lookup } = this.#target;
    let told = false;
    const done = (error: Error | null, addresses?: unknown): void => {
      if (told) return;
      told = true;
      this.#pending--;
      if (this.#closed || asked !== this.#asked) return;
      this.#answered = true;
      this.#take(error ?? undefined, addresses);
    };
    try {
      const result: unknown = lookup(name, { all: true, family: this.#host.options.ipv6 ? 0 : 4 }, done);
      // Of an async function, too, a failure is an answer.
      Promise.resolve(result).catch(done);
    } catch (error) {
      done(error as Error);
    }
  }

  #wait(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#host.runtime.loop.deadline(ms, () => {
      if (!this.#answered) {
        this.#failed(new Error(`no answer about "${this.#target.name}" within ${ms} ms`), 0);
        if (this.#closed) return; // by a listener of that event
      }
      this.#look();
    });
    if (!this.#host.refed) this.#timer.unref();
  }

  #take(error: Error | undefined, found: unknown): void {
    let addresses: Set<string>;
    try {
      if (error !== undefined) throw error;
      addresses = this.#checked(found);
    } catch (failure) {
      const { refresh } = this.#target;
      // Without any address there is nothing to wait for: ask again as one dials again.
      const soon = this.#handles.size === 0 && this.#backoff.enabled ? this.#backoff.next() : ASK_AGAIN_MS;
      const next = refresh > 0 ? Math.min(refresh, soon) : soon;
      this.#wait(next);
      this.#failed(failure as Error, next);
      return;
    }
    this.#backoff.reset();
    if (this.#target.refresh > 0) this.#wait(this.#target.refresh);
    else this.#timer?.cancel();
    this.#follow(addresses);
  }

  /** A look-up that failed changes nothing. */
  #failed(error: Error, interval: number): void {
    this.#host.emitEvent("connect:retry", { address: this.endpoint, interval, error });
  }

  /** The addresses that the options allow, each once. @throws Error for no address, or too many */
  #checked(found: unknown): Set<string> {
    const { name } = this.#target;
    if (!Array.isArray(found)) throw new TypeError("lookup must answer with a list of { address, family }");
    if (found.length > MOST_ADDRESSES)
      throw new RangeError(
        `"${name}" has ${found.length} addresses; at most ${MOST_ADDRESSES} are connected`,
      );
    const addresses = new Set<string>();
    for (const one of found) {
      const { address } = (one ?? {}) as { address?: unknown };
      if (typeof address !== "string")
        throw new TypeError("lookup must answer with a list of { address, family }");
      const plain = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address.toLowerCase();
      const [bare] = plain.split("%"); // without the zone
      if (!isIPv4(bare) && !isIPv6(bare))
        throw new TypeError(`lookup must answer with numeric addresses; got "${address}"`);
      if (this.#host.options.ipv6 || !plain.includes(":")) addresses.add(plain);
    }
    if (addresses.size > 0) return addresses;
    throw Object.assign(
      new Error(`"${name}" has no address${found.length > 0 ? " without ipv6: true" : ""}`),
      {
        code: "ENOTFOUND",
      },
    );
  }

  #follow(addresses: ReadonlySet<string>): void {
    for (const [address, handle] of [...this.#handles]) {
      if (addresses.has(address)) continue;
      this.#handles.delete(address);
      this.#diallers.letGo(handle);
    }
    for (const address of addresses) {
      if (this.#closed) return; // by a listener of an event
      if (!this.#handles.has(address)) this.#handles.set(address, this.#diallers.dial(address));
    }
  }

  /** Follows the name no more. Its diallers are the socket's own. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
  }

  /** The addresses that it has now are drained by themselves, and there will be no others. */
  drain(): void {
    void this.close();
  }

  readonly links = [];
  readonly unsent = 0;

  abandon(): void {}

  reset(): boolean {
    return false;
  }

  ref(): void {
    this.#timer?.ref();
  }

  unref(): void {
    this.#timer?.unref();
  }
}
