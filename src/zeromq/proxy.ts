/**
 * Proxy with zeromq.js's members: passes messages between two sockets, both ways where both can, until it is told to
 * end. While it runs it has both sockets to itself, and at the end it closes them.
 */
import type { ReceiveQueue } from "../engine/receive-queue.js";
import type { SendQueue } from "../engine/send-queue.js";
import { failure, translated } from "./errors.js";
import { hold } from "./process-end.js";
import { internalsOf, type Socket } from "./socket.js";
import type { SocketState } from "./state.js";

/** As told: idle → running ⇄ paused → ended; running → ended. */
type State = "idle" | "running" | "paused" | "ended";

/** Messages passed on before the event loop has a turn. */
const MESSAGES_PER_TURN = 512;
const INTERRUPTED = new Error("the proxy has been paused or has ended");

// biome-ignore lint/suspicious/noShadowRestrictedNames: zeromq.js's name for it
export class Proxy<F extends Socket = Socket, B extends Socket = Socket> {
  readonly #frontEnd: F;
  readonly #backEnd: B;
  readonly #front: SocketState;
  readonly #back: SocketState;
  #state: State = "idle";
  /** Ends the receives that wait: at a pause, and at the end. */
  #interrupt = new AbortController();
  /** Ends the sends that wait. */
  readonly #end = new AbortController();
  readonly #ended: Promise<void>;
  #resumed: { promise: Promise<void>; resolve: () => void } | null = null;

  /** @throws TypeError for what is no socket */
  constructor(frontEnd: F, backEnd: B) {
    const [front, back] = [internalsOf(frontEnd), internalsOf(backEnd)];
    if (front === undefined) throw new TypeError("Front-end must be a socket object");
    if (back === undefined) throw new TypeError("Back-end must be a socket object");
    this.#frontEnd = frontEnd;
    this.#backEnd = backEnd;
    this.#front = front;
    this.#back = back;
    this.#ended = new Promise((resolve) => {
      this.#end.signal.addEventListener("abort", () => resolve(), { once: true });
    });
    Object.seal(this);
  }

  get frontEnd(): F {
    return this.#frontEnd;
  }

  get backEnd(): B {
    return this.#backEnd;
  }

  /**
   * Pass messages on until terminate(); then both sockets are closed.
   * @throws Error EINVAL for a socket that is not bound or connected, EBUSY for one that another proxy has
   */
  run(): Promise<void> {
    if (this.#front.endpoints === 0 || this.#front.core.closed)
      throw failure("EINVAL", "Front-end socket must be bound or connected");
    if (this.#back.endpoints === 0 || this.#back.core.closed)
      throw failure("EINVAL", "Back-end socket must be bound or connected");
    this.#front.requireFree();
    this.#back.requireFree();
    return this.#run([this.#front, this.#back]);
  }

  async #run(ends: SocketState[]): Promise<void> {
    for (const end of ends) end.take("proxy");
    this.#state = "running";
    hold(1);
    try {
      await Promise.all([this.#forward(this.#front, this.#back), this.#forward(this.#back, this.#front)]);
    } finally {
      hold(-1);
      this.#state = "ended";
      for (const end of ends) {
        end.release();
        end.close();
      }
    }
  }

  /** Pass nothing on until resume(). */
  pause(): void {
    this.#requireRunning();
    if (this.#state === "paused") return;
    this.#state = "paused";
    this.#resumed = gate();
    this.#interrupt.abort(INTERRUPTED);
  }

  resume(): void {
    this.#requireRunning();
    if (this.#state !== "paused") return;
    this.#state = "running";
    this.#interrupt = new AbortController();
    this.#resumed?.resolve();
    this.#resumed = null;
  }

  /** End run(). */
  terminate(): void {
    this.#requireRunning();
    this.#state = "ended";
    this.#interrupt.abort(INTERRUPTED);
    this.#end.abort(INTERRUPTED);
    this.#resumed?.resolve();
  }

  #requireRunning(): void {
    if (this.#state !== "running" && this.#state !== "paused") throw failure("EBADF");
  }

  /** One direction, message by message. */
  async #forward(from: SocketState, to: SocketState): Promise<void> {
    const { receives } = from;
    const { queue } = to;
    if (receives === undefined || queue === undefined) return this.#ended;
    for (let passed = 1; !this.#end.signal.aborted; passed++) {
      try {
        await this.#resumed?.promise;
        await pass(receives, queue, this.#interrupt.signal, this.#end.signal);
      } catch (error) {
        if (error !== INTERRUPTED) throw translated(error);
      }
      if (passed % MESSAGES_PER_TURN === 0) await from.core.turns.nextTurn();
    }
  }
}

/** A message that has been taken is passed on, however long that takes, unless the proxy ends meanwhile. */
async function pass(
  receives: ReceiveQueue<unknown>,
  queue: SendQueue,
  interrupt: AbortSignal,
  end: AbortSignal,
): Promise<void> {
  const received = receives.tryReceive() ?? (await receives.receive({ timeout: -1, signal: interrupt }));
  const parts = received as Uint8Array[];
  const message = parts.length === 1 ? parts[0] : parts;
  if (!queue.trySend(message)) await queue.send(message, { timeout: -1, signal: end });
}

function gate(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((open) => {
    resolve = open;
  });
  return { promise, resolve };
}
