/**
 * A socket from which other processes can read what the sockets of this one are doing: a publisher of snapshots and events
 * in JSON. While nobody subscribes, it does nothing.
 */

import { XPublisher, type XPublisherOptions } from "../api/sockets/xpublisher.js";
import { parseEndpoint } from "../base/endpoint.js";
import { ZmqError } from "../base/errors.js";
import type { EventType, SocketEvents } from "../base/events.js";
import { clearInterval, setInterval, setTimeout } from "../base/platform.js";
import { type Listed, unlisted, unwatch, type Watcher, watch } from "../core/roster.js";
import { seenEvent, snapshot } from "./snapshot.js";

/**
 * Options of `openMonitor`: its own, and those of the XPublisher that it opens, such as CURVE's. The default of `allowedOrigins` is
 * `[]`: over ws, no page of a browser may connect.
 */
export interface MonitorOptions extends Omit<XPublisherOptions, "verbosity" | "manual"> {
  /** Milliseconds from one snapshot to the next; 10 to 3,600,000. Default 1000. */
  readonly interval?: number;
  /** How many peers of all sockets together are in one snapshot at most. Default 1000. */
  readonly maxPeers?: number;
  /**
   * Whether it may be bound to an address that other machines reach, without CURVE. Default false: it tells everybody who
   * connects which endpoints and peers there are.
   */
  readonly allowRemote?: boolean;
}

const INTERVAL = { initial: 1000, least: 10, most: 3_600_000 };
const PEERS = { initial: 1000, least: 0, most: 65_536 };
/** New subscribers get a snapshot at once, but all that come in this time the same one. */
const GATHER_MS = 20;
const SUBSCRIBES = 1;
const SNAPSHOT = "snapshot";
const EVENT = "event.";

function checked(name: string, value: unknown, { initial, least, most }: typeof INTERVAL): number {
  if (value === undefined) return initial;
  if (typeof value !== "number") throw new TypeError(`${name} must be a number; got ${typeof value}`);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${name} must be an integer from ${least} to ${most}; got ${value}`);
  }
  return value;
}

/** Whether only this machine reaches an endpoint. */
function isLocal(endpoint: string): boolean {
  const { scheme, address } = parseEndpoint(endpoint);
  if (scheme === "ipc" || scheme === "inproc") return true;
  return /^(127(\.\d{1,3}){3}|localhost|\[::1\]):/.test(address);
}

/** A page of any site may connect to a ws endpoint of the machine on which its browser runs. */
function isWeb(endpoint: string): boolean {
  const { scheme } = parseEndpoint(endpoint);
  return scheme === "ws" || scheme === "wss";
}

/** A monitor of this thread's sockets that is open. `openMonitor` makes one. */
export class Monitor {
  /** Where it is bound, with the actual port. */
  readonly endpoint: string;
  readonly #publisher: XPublisher;
  readonly #interval: number;
  readonly #maxPeers: number;
  readonly #timer: NodeJS.Timeout;
  #soon: NodeJS.Timeout | null = null;
  readonly #watcher: Watcher = {
    told: <E extends EventType>(listed: Listed, type: E, payload: SocketEvents[E]): void =>
      this.#publish(`${EVENT}${type}`, () => seenEvent(listed, type, payload)),
  };

  /** @internal */
  constructor(endpoint: string, publisher: XPublisher, interval: number, maxPeers: number) {
    this.endpoint = endpoint;
    this.#publisher = publisher;
    this.#interval = interval;
    this.#maxPeers = maxPeers;
    this.#timer = setInterval(() => this.#publishSnapshot(), interval);
    this.#timer.unref();
    publisher.unref();
    publisher.on("message", ([subscription]) => this.#subscribed(subscription));
    watch(this.#watcher);
  }

  #subscribed(subscription: Uint8Array): void {
    if (subscription[0] !== SUBSCRIBES || this.#soon !== null) return;
    const topic = new TextDecoder().decode(subscription.subarray(1));
    if (!SNAPSHOT.startsWith(topic)) return;
    this.#soon = setTimeout(() => {
      this.#soon = null;
      this.#publishSnapshot();
    }, GATHER_MS);
    this.#soon.unref();
  }

  #publishSnapshot(): void {
    this.#publish(SNAPSHOT, () => snapshot(this.#interval, this.#maxPeers));
  }

  #publish(topic: string, value: () => unknown): void {
    if (this.#publisher.closed || this.#publisher.topicsCount === 0) return;
    this.#publisher.trySend([topic, JSON.stringify(value())]);
  }

  /** Ends it. Another call does nothing more. */
  close(): Promise<void> {
    unwatch(this.#watcher);
    clearInterval(this.#timer);
    if (this.#soon !== null) clearInterval(this.#soon);
    return this.#publisher.close({ linger: 0 });
  }

  /** `await using` closes it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Opens a socket from which `zwire top`, and any SUB socket, can read what the sockets of this thread are doing: snapshots
 * of all of them, one at once for each new subscriber and then one every `interval`, and their events. It does not keep the
 * process alive, is on no list of sockets, and does nothing while nobody subscribes. Rejects as `bind` does; with a
 * TypeError or RangeError for wrong options; and with a ZmqError EACCES for an endpoint that other machines reach, unless
 * `allowRemote` is set, or it is a CURVE server.
 */
export async function openMonitor(endpoint: string, options: MonitorOptions = {}): Promise<Monitor> {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`options must be an object; got ${options === null ? "null" : typeof options}`);
  }
  const { interval, maxPeers, allowRemote = false, ...rest } = options;
  const every = checked("interval", interval, INTERVAL);
  const most = checked("maxPeers", maxPeers, PEERS);
  if (typeof allowRemote !== "boolean") {
    throw new TypeError(`allowRemote must be true or false; got ${typeof allowRemote}`);
  }
  const local = isLocal(endpoint);
  const { allowedOrigins = isWeb(endpoint) ? [] : undefined } = rest;
  const settings = { ...rest, ...(allowedOrigins !== undefined && { allowedOrigins }), verbosity: "allSubs" };
  const publisher = unlisted(() => new XPublisher(settings as XPublisherOptions));
  try {
    if (!local && !allowRemote && publisher.securityMechanism !== "curve") {
      throw new ZmqError("EACCES", {
        address: endpoint,
        detail: "a monitor that other machines reach needs CURVE, or allowRemote: true",
      });
    }
    return new Monitor(await publisher.bind(endpoint), publisher, every, most);
  } catch (error) {
    await publisher.close({ linger: 0 });
    throw error;
  }
}
