/**
 * A client's connection to one endpoint: a Dealer that queues only while its server is there, so that what waits stays
 * with the client and can be withdrawn (T32). Knows frames and connections, but no events and no calls.
 */
import { Buffer } from "../../base/platform.js";
import { Dealer, type DealerOptions, ZmqError } from "../../index.js";
import type { World } from "../clock.js";
import type { Id } from "../wire/id.js";

const EMPTY = Buffer.alloc(0);
/** So many grants, cancellations and heartbeats may wait for a server; more heartbeats are not answered. */
const MOST_FOLLOWING = 1000;
const DEFAULTS: DealerOptions = {
  // The kernel notices a host that is gone, and answers for a process that is only busy.
  tcpKeepalive: 1,
  tcpKeepaliveIdle: 30,
  heartbeatInterval: 0,
  linger: 1000,
  // A socket at its mark writes what it has gathered: of many calls made in one turn the server gets the first while
  // the last are still being made. With 64 in flight and two free cores that is 1.7 to 2 times the calls per second. What
  // the kernel does not take waits in the client, where it can be withdrawn (T32).
  sendHighWaterMark: 32,
  maxMessageSize: 128 * 1024 * 1024,
};

/** What a link tells its client. */
export interface LinkOwner {
  /** The payload of a message. */
  received(link: Link, payload: Buffer): void;
  /** A server is there. */
  up(link: Link): void;
  /** What was sent in this epoch or before will not be answered; everything that came has been told. */
  down(link: Link, epoch: number): void;
}

/** A ping that tells a busy server from one that has forgotten a call; the client's own bookkeeping. */
export interface Probe {
  readonly sent: number;
  answered: number | null;
}

export class Link {
  readonly endpoint: string;
  /** Counts connections: an answer comes in the epoch of its call or never. */
  epoch = 0;
  /** Whether the server of this epoch has announced itself as zwire; unknown before its first event. */
  server: "unknown" | "zwire" | "other" = "unknown";
  /** Calls that were given up while that was unknown. */
  untold: Id[] = [];
  /** Calls in flight. */
  inFlight = 0;
  probe: Probe | null = null;
  readonly #socket: Dealer;
  readonly #owner: LinkOwner;
  readonly #world: World;
  /** Aborts what waits for room when the connection goes. */
  #connection = new AbortController();
  #closed = false;
  /** What follows calls and waits for room. */
  #following = 0;
  /** Over inproc a socket would queue for a server that is not there yet, `immediate` or not. */
  #up = false;

  constructor(
    endpoint: string,
    bind: boolean,
    options: DealerOptions | undefined,
    owner: LinkOwner,
    world: World,
  ) {
    this.#owner = owner;
    this.#world = world;
    this.#socket = new Dealer({ ...DEFAULTS, ...options, immediate: true });
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
    this.#up = this.#socket.stats.peers > 0; // where we are bound, the next server may be here already
    this.epoch++;
    this.server = "unknown";
    this.untold = [];
    this.probe = null;
    this.#connection.abort();
    this.#connection = new AbortController();
    this.#settle(epoch);
  }

  /** Answers that came before the connection broke are read first. */
  #settle(epoch: number): void {
    if (!this.#closed && this.#socket.stats.receiveQueue > 0) this.#world.later(() => this.#settle(epoch));
    else this.#owner.down(this, epoch);
  }

  /** Send now, or not at all. */
  trySend(payload: Buffer): boolean {
    return this.isUp && this.#socket.trySend([EMPTY, payload]);
  }

  /**
   * Send when there is room. Resolves to false when the connection went first, or the signal was aborted; then nothing
   * was sent.
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

  /** Send what follows a call: a grant, a cancellation. It waits for room, in order, as long as the connection lives. */
  follow(payload: Buffer): void {
    if (this.trySend(payload)) return;
    this.#following++;
    void this.send(payload).finally(() => {
      this.#following--;
    });
  }

  /**
   * Whether something waits for room already: a server that sends heartbeats and reads none must not fill us with their
   * answers. It has plenty to read that says we are alive.
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
