/**
 * A proxy: forwards messages between two sockets, in both directions if the types allow it, on the caller's event loop.
 * It works with the queues of the sockets, for every pattern.
 *
 * States: idle → running (run) ⇄ paused (pause, resume); running or paused → terminated (terminate, a socket closed, or
 * an error); terminated → running (run again).
 */

import { ZmqError } from "../base/errors.js";
import type { Message } from "../base/message.js";
import type { Sender } from "../core/sender.js";
import type { WaitingReceives } from "../engine/waiting-receives.js";
import { Direction, type ProxyTraffic, type Shared, type Side } from "./proxy-direction.js";
import { coreOf, Socket } from "./socket.js";

/** Options of Proxy. */
export interface ProxyOptions {
  /**
   * A socket that gets a copy of every message that is forwarded, in either direction. It never delays the forwarding:
   * a copy that it refuses, or for which it has no room now, is dropped and counted. Default: none.
   */
  readonly capture?: Socket;
  /** Whether to close both sockets (not the capture socket) when the proxy ends. Default false. */
  readonly closeSockets?: boolean;
}

/** Counters of a proxy since its creation. */
export interface ProxyStatistics {
  /** What went through the front end. */
  readonly frontEnd: Readonly<ProxyTraffic>;
  /** What went through the back end. */
  readonly backEnd: Readonly<ProxyTraffic>;
  /** Copies that the capture socket accepted. */
  readonly captured: number;
  /** Copies that the capture socket refused, or had no room for. */
  readonly captureDropped: number;
  /**
   * Messages that were received and not forwarded: they had no route (a Router with `mandatory`), had a form that the
   * other socket cannot send, or waited for room when the socket that they came from was closed.
   */
  readonly undeliverable: number;
}

/** The state of a proxy: before the first run(), during a run, after pause(), after a run. */
export type ProxyState = "idle" | "running" | "paused" | "terminated";

/**
 * Forwards messages between two sockets: from the front end to the back end and, if the types allow it, from the back
 * end to the front end. The two directions are independent. The two ends differ in name only.
 *
 * While it runs, `receive` and similar calls on a socket that it reads reject with EBUSY. Sending, binding, connecting
 * and options work as usual. If the other side has no room, the proxy stops reading, so that high-water marks act
 * through it.
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
   * @throws TypeError for an argument that is not a socket, or is one of a draft type (their messages have data besides
   * parts, such as a peer's number, which would be lost); for a capture socket that cannot send; for two sockets of
   * which neither can send what the other receives; and for an unknown option
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
      throw new TypeError("one of frontEnd and backEnd must receive, and the other one must send");
    }
  }

  #connect(from: Side, to: Side): void {
    const incoming = from.core.receives as WaitingReceives<Message> | null;
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

  /** The current state. */
  get state(): ProxyState {
    return this.#state;
  }

  /** The current counters. */
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
   * Forwards from now on. Resolves after `terminate`, or when either socket is closed. A message that waits for room
   * then goes back to the socket that it came from, and is the next that this socket receives. (If that socket was
   * closed, the message is lost, as are its unread ones, and counts as undeliverable.) The sockets stay open, and can
   * be used again, also for another run. With `closeSockets`, both are closing when this resolves; `close()` of each
   * tells when its messages are sent.
   *
   * Rejects with EINVAL if a socket is neither bound nor connected; with EBUSY if the proxy runs already, or something
   * else receives from a socket that it would read; and later with EFSM if a pattern does not allow a message (such as
   * a second reply to one request).
   */
  run(): Promise<void> {
    if (this.#ended !== null) {
      return Promise.reject(new ZmqError("EBUSY", { detail: "the proxy is running already" }));
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
   * Stops forwarding until `resume`. Messages wait in the sockets.
   * @throws ZmqError EFSM if the proxy is not running or paused
   */
  pause(): void {
    this.#requireRun();
    this.#state = "paused";
    this.#shared.running = false;
  }

  /**
   * Continues after `pause`.
   * @throws ZmqError EFSM if the proxy is not running or paused
   */
  resume(): void {
    this.#requireRun();
    if (this.#shared.running) return;
    this.#state = "running";
    this.#shared.running = true;
    for (const direction of this.#directions) direction.schedule();
  }

  /**
   * Ends the run, also a paused one. Nothing is forwarded any more. No effect if the run has ended already.
   * @throws ZmqError EFSM if it has never run
   */
  terminate(): void {
    if (this.#state === "terminated") return;
    this.#requireRun();
    this.#end(undefined);
  }

  #requireRun(): void {
    if (this.#ended === null)
      throw new ZmqError("EFSM", { detail: "the proxy is not running: call run() first" });
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
  // The draft types are those that libzmq calls thread-safe.
  if (value.threadSafe) throw new TypeError(`${which} must not be a socket of a draft type`);
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
    throw new TypeError("capture must not be frontEnd or backEnd");
  }
  return sender;
}

function unattached(which: string): ZmqError {
  return new ZmqError("EINVAL", { detail: `${which} socket must be bound or connected` });
}
