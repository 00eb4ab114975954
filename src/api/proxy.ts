/**
 * A proxy: forwards whole messages between two sockets, both ways where both ways exist, on the caller's event loop.
 * Works on cores and their queues; knows neither pipes nor patterns.
 *
 * idle → running (run) ⇄ paused (pause, resume); running and paused → terminated (terminate, a socket closed, or an
 * error); terminated → running (run again).
 */

import { ZmqError } from "../base/errors.js";
import type { Message } from "../base/message.js";
import type { Sender } from "../core/sender.js";
import type { ReceiveQueue } from "../engine/waiting-receives.js";
import { Direction, type ProxyTraffic, type Shared, type Side } from "./proxy-direction.js";
import { coreOf, Socket } from "./socket.js";

/** Options of Proxy. */
export interface ProxyOptions {
  /**
   * A socket that is sent a copy of every message forwarded, in either direction. It never holds up the forwarding: a
   * copy for which it has no room now, or that it refuses, is dropped and counted. Default: none.
   */
  readonly capture?: Socket;
  /** Close both sockets (not the capture socket) when the proxy ends. Default false. */
  readonly closeSockets?: boolean;
}

/** Counters of a proxy, from its creation. */
export interface ProxyStatistics {
  readonly frontEnd: Readonly<ProxyTraffic>;
  readonly backEnd: Readonly<ProxyTraffic>;
  /** Copies that the capture socket accepted. */
  readonly captured: number;
  /** Copies that it did not. */
  readonly captureDropped: number;
  /**
   * Messages taken that went nowhere: no route (a Router with `mandatory`), of a form that the other socket cannot
   * send, or in hand when the socket that they came from was closed.
   */
  readonly undeliverable: number;
}

/** What a proxy is doing. */
export type ProxyState = "idle" | "running" | "paused" | "terminated";

/**
 * Forwards whole messages between two sockets: from the front end to the back end and, where the types allow it, the
 * other way. The two directions are independent, and names aside the two ends are alike.
 *
 * While it runs, `receive` and the like on a socket that it reads reject with EBUSY; sends, binds, connects and options
 * work as ever. Where the other side has no room the proxy stops reading, so that high-water marks act through it.
 *
 * ```typescript
 * const proxy = new Proxy(new Pull(), new Push());
 * await proxy.frontEnd.bind("tcp://*:3001");
 * await proxy.backEnd.bind("tcp://*:3002");
 * await proxy.run();
 * ```
 */
export class Proxy<F extends Socket = Socket, B extends Socket = Socket> {
  readonly #frontEnd: F;
  readonly #backEnd: B;
  readonly #front: Side;
  readonly #back: Side;
  readonly #directions: Direction[] = [];
  readonly #closeSockets: boolean;
  readonly #shared: Shared;
  #state: ProxyState = "idle";
  #ended: { resolve: () => void; reject: (reason: unknown) => void } | null = null;

  /**
   * @throws TypeError for an argument that is no socket, or one of a draft type (their messages carry more than parts,
   * such as a peer's number, which would be lost), a capture socket that cannot send, and two sockets between
   * which no message can go
   */
  constructor(frontEnd: F, backEnd: B, options: ProxyOptions = {}) {
    requireForwardable("Front-end", frontEnd);
    requireForwardable("Back-end", backEnd);
    if (typeof options !== "object" || options === null) throw new TypeError("options must be an object");
    for (const name of Object.keys(options)) {
      if (name !== "capture" && name !== "closeSockets") throw new TypeError(`Proxy has no option "${name}"`);
    }
    const { capture, closeSockets = false } = options;
    if (typeof closeSockets !== "boolean") throw new TypeError("closeSockets must be true or false");
    this.#closeSockets = closeSockets;
    this.#frontEnd = frontEnd;
    this.#backEnd = backEnd;
    this.#front = sideOf(frontEnd);
    this.#back = (frontEnd as Socket) === backEnd ? this.#front : sideOf(backEnd);
    this.#shared = {
      running: false,
      capture: captureOf(capture, frontEnd, backEnd),
      captured: 0,
      captureDropped: 0,
      undeliverable: 0,
      end: (error) => this.#end(error),
    };
    this.#connect(this.#front, this.#back);
    if (this.#back !== this.#front) this.#connect(this.#back, this.#front);
    if (this.#directions.length === 0) {
      throw new TypeError("frontEnd and backEnd must be sockets between which messages can go");
    }
  }

  #connect(from: Side, to: Side): void {
    const incoming = from.core.receives as ReceiveQueue<Message> | null;
    const outgoing = to.core.sender;
    if (incoming === null || outgoing === null) return;
    this.#directions.push(new Direction(from, to, incoming, outgoing, this.#shared));
  }

  /** The first socket. */
  get frontEnd(): F {
    return this.#frontEnd;
  }

  /** The second socket. */
  get backEnd(): B {
    return this.#backEnd;
  }

  /** What the proxy is doing. */
  get state(): ProxyState {
    return this.#state;
  }

  /** Counters now. */
  get statistics(): ProxyStatistics {
    const { captured, captureDropped, undeliverable } = this.#shared;
    return {
      frontEnd: { ...this.#front.traffic },
      backEnd: { ...this.#back.traffic },
      captured,
      captureDropped,
      undeliverable,
    };
  }

  /**
   * Forward from now on. Resolves when `terminate` has been called, or either socket closed; a message taken and not
   * yet accepted by the other side is then given back: it is the next that its socket receives (if that is the one
   * closed it is lost with what it holds unread, and counted as undeliverable). The sockets stay open and usable,
   * also for another run, unless `closeSockets` is set: then both are closing when this resolves, and `close()` of
   * each tells when what it has accepted is flushed.
   *
   * Rejects with EINVAL when a socket is neither bound nor connected, with EBUSY when the proxy runs already or
   * somebody else receives from a socket that it would read, and with EFSM, later, when a pattern is used out of turn
   * (such as a second reply to one request).
   */
  run(): Promise<void> {
    if (this.#ended !== null) {
      return Promise.reject(new ZmqError("EBUSY", { detail: "the proxy runs already" }));
    }
    try {
      if (!this.#front.core.attached) throw unattached("Front-end");
      if (!this.#back.core.attached) throw unattached("Back-end");
      for (const direction of this.#directions) direction.start();
    } catch (error) {
      for (const direction of this.#directions) direction.stop();
      return Promise.reject(error);
    }
    this.#state = "running";
    this.#shared.running = true;
    return new Promise((resolve, reject) => {
      this.#ended = { resolve, reject };
    });
  }

  /**
   * Stop forwarding until `resume`: messages wait at the sockets.
   * @throws ZmqError EFSM when the proxy does not run
   */
  pause(): void {
    this.#requireRun();
    this.#state = "paused";
    this.#shared.running = false;
  }

  /**
   * Go on after `pause`.
   * @throws ZmqError EFSM when the proxy does not run
   */
  resume(): void {
    this.#requireRun();
    if (this.#shared.running) return;
    this.#state = "running";
    this.#shared.running = true;
    for (const direction of this.#directions) direction.schedule();
  }

  /**
   * End the run, also a paused one. From here on nothing is forwarded. Does nothing when the proxy has ended.
   * @throws ZmqError EFSM when it has never run
   */
  terminate(): void {
    if (this.#state === "terminated") return;
    this.#requireRun();
    this.#end(undefined);
  }

  #requireRun(): void {
    if (this.#ended === null) throw new ZmqError("EFSM", { detail: "the proxy does not run" });
  }

  #end(error: unknown): void {
    const ended = this.#ended;
    if (ended === null) return;
    this.#ended = null;
    this.#state = "terminated";
    this.#shared.running = false;
    for (const direction of this.#directions) direction.stop();
    if (this.#closeSockets) {
      void this.#frontEnd.close();
      void this.#backEnd.close();
    }
    if (error === undefined) ended.resolve();
    else ended.reject(error);
  }
}

function requireForwardable(which: string, value: unknown): void {
  if (!(value instanceof Socket)) throw new TypeError(`${which} must be a socket object`);
  // The draft types are the thread-safe ones of libzmq.
  if (value.threadSafe) throw new TypeError(`${which} must not be of a draft type`);
}

function sideOf(socket: Socket): Side {
  const traffic = { messagesIn: 0, bytesIn: 0, messagesOut: 0, bytesOut: 0 };
  return { core: coreOf(socket), traffic };
}

function captureOf(capture: Socket | undefined, frontEnd: Socket, backEnd: Socket): Sender | null {
  if (capture === undefined) return null;
  requireForwardable("capture", capture);
  const { sender } = coreOf(capture);
  if (sender === null) throw new TypeError("capture must be a socket that can send");
  if (capture === frontEnd || capture === backEnd) {
    throw new TypeError("capture must be another socket than frontEnd and backEnd");
  }
  return sender;
}

function unattached(which: string): ZmqError {
  return new ZmqError("EINVAL", { detail: `${which} socket must be bound or connected` });
}
