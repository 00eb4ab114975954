/**
 * A client's connection to one endpoint: a Dealer that queues only while its server is connected, so that waiting calls stay
 * in the client and can be cancelled (T32).
 */
import { Buffer } from "../../base/platform.js";
import { Dealer, type DealerOptions, ZmqError } from "../../index.js";
import type { Environment } from "../clock.js";
import type { Id } from "../wire/id.js";
import { LINK_OPTIONS } from "./link-options.js";

const EMPTY = Buffer.alloc(0);
/** If this many grants, cancellations and heartbeats wait for a server, its heartbeats are not answered. */
const MOST_FOLLOWING = 1000;
/** What a link tells its client. */
export interface LinkOwner {
  /** The payload of a message. */
  received(link: Link, payload: Buffer): void;
  /** A server has connected. */
  up(link: Link): void;
  /** Calls sent in this epoch or earlier will not be answered. All answers that arrived have been received. */
  down(link: Link, epoch: number): void;
}

/** A ping that tells a busy server from one that has forgotten a call. */
export interface Probe {
  readonly sent: number;
  answered: number | null;
}

export class Link {
  readonly endpoint: string;
  /** Counts connections. A call that was sent over one connection is never answered over another. */
  epoch = 0;
  /** Whether the server of this epoch has announced itself as zwire; unknown before its first event. */
  server: "unknown" | "zwire" | "other" = "unknown";
  /** Calls that were given up while this was unknown. */
  untold: Id[] = [];
  /** Calls in flight. */
  inFlight = 0;
  probe: Probe | null = null;
  readonly #socket: Dealer;
  readonly #owner: LinkOwner;
  readonly #environment: Environment;
  /** Aborts what waits for room when the connection is lost. */
  #connection = new AbortController();
  #closed = false;
  /** Grants, cancellations and heartbeats that wait for room. */
  #following = 0;
  /** A server is connected. Needed for inproc: its sockets queue for a server that is not there yet, despite `immediate`. */
  #up = false;

  constructor(
    endpoint: string,
    bind: boolean,
    options: DealerOptions | undefined,
    owner: LinkOwner,
    environment: Environment,
  ) {
    this.#owner = owner;
    this.#environment = environment;
    this.#socket = new Dealer({ ...LINK_OPTIONS, ...options, immediate: true });
    this.#socket.on("handshake", () => this.#connected());
    this.#socket.on("disconnect", () => this.#disconnected());
    this.#socket.on("message", (frames) => this.#owner.received(this, frames[frames.length - 1]));
    try {
      if (bind) this.endpoint = this.#socket.bindSync(endpoint);
      else {
        this.#socket.connect(endpoint);
        this.endpoint = endpoint;
      }
    } catch (error) {
      void this.#socket.close();
      throw error;
    }
  }

  /** Whether a server is connected. */
  get isUp(): boolean {
    return this.#up && !this.#closed;
  }

  #connected(): void {
    this.#up = true;
    this.#owner.up(this);
  }

  #disconnected(): void {
    const { epoch } = this;
    this.#up = this.#socket.stats.peers > 0; // if we have bound, the next server may be connected already
    this.epoch++;
    this.server = "unknown";
    this.untold = [];
    this.probe = null;
    this.#connection.abort();
    this.#connection = new AbortController();
    this.#settle(epoch);
  }

  /** Waits until the answers have been read that came before the connection broke. */
  #settle(epoch: number): void {
    if (!this.#closed && this.#socket.stats.receiveQueue > 0)
      this.#environment.later(() => this.#settle(epoch));
    else this.#owner.down(this, epoch);
  }

  /** Sends now, or returns false. */
  trySend(payload: Buffer): boolean {
    return this.isUp && this.#socket.trySend([EMPTY, payload]);
  }

  /**
   * Sends when there is room. Resolves to false if nothing was sent, because the connection was lost or the signal
   * aborted.
   */
  async send(payload: Buffer, signal?: AbortSignal): Promise<boolean> {
    const own = this.#connection.signal;
    try {
      await this.#socket.send([EMPTY, payload], {
        timeout: -1,
        signal: signal === undefined ? own : AbortSignal.any([own, signal]),
      });
      return true;
    } catch (error) {
      const closed = error instanceof ZmqError && (error.code === "EBADF" || error.code === "EAGAIN");
      if (closed || own.aborted || signal?.aborted) return false;
      throw error;
    }
  }

  /** Sends what follows a call: a grant, a cancellation. It waits for room as long as the connection lasts, in order. */
  follow(payload: Buffer): void {
    if (this.trySend(payload)) return;
    this.#following++;
    void this.send(payload).finally(() => {
      this.#following--;
    });
  }

  /**
   * Whether so much waits for room that heartbeats are not to be answered. A server that sends heartbeats without reading
   * must not fill our memory with answers, and what waits already shows it that we are alive.
   */
  get isBehind(): boolean {
    return this.#following >= MOST_FOLLOWING;
  }

  /** Resolves when a server is connected. */
  connected(options: { timeout?: number; signal?: AbortSignal }): Promise<void> {
    return this.#socket.connected(options);
  }

  close(): Promise<void> {
    this.#closed = true;
    return this.#socket.close();
  }
}
