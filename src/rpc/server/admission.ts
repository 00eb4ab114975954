/**
 * Which calls a server runs: limits on what a client may have open and on what may wait, the time that a caller gives
 * its call, and what is refused while the server closes.
 */
import { Buffer, nextTick } from "../../base/platform.js";
import { refusal } from "../answers.js";
import type { World } from "../clock.js";
import type { Deadlines } from "../deadlines.js";
import { TimeoutExpired } from "../errors.js";
import type { ServerLimitEvent } from "../types.js";
import type { RpcEvent } from "../wire/event.js";
import { RequestContext } from "./context.js";
import type { Counts } from "./counts.js";
import type { Limiter } from "./limiter.js";
import type { Connection } from "./peers.js";
import type { ServedCall } from "./served-call.js";
import type { ServedMethod } from "./service.js";

const CLOSING = refusal("closing", "ServerClosing", "the server is closing");

/** Longest time that a caller may ask for, about 25 days. A caller that waits longer waits without a limit. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export class Admission {
  readonly #world: World;
  readonly #deadlines: Deadlines;
  readonly #limiter: Limiter;
  readonly #counts: Counts;
  readonly #maxClientCalls: number;
  readonly #tell: (event: ServerLimitEvent) => void;
  #closing = false;

  /** @param tell called with a limit that a client has exceeded, on no other stack than its own */
  constructor(
    parts: { world: World; deadlines: Deadlines; limiter: Limiter; counts: Counts },
    maxClientCalls: number,
    tell: (event: ServerLimitEvent) => void,
  ) {
    this.#world = parts.world;
    this.#deadlines = parts.deadlines;
    this.#limiter = parts.limiter;
    this.#counts = parts.counts;
    this.#maxClientCalls = maxClientCalls;
    this.#tell = tell;
  }

  /** Runs a call, now or when it has a place, or refuses it. */
  admit(call: ServedCall, event: RpcEvent, name: string, served: ServedMethod, args: unknown[]): void {
    if (this.#closing) {
      this.#refuseClosing(call);
      return;
    }
    const { connection } = call.from;
    if (connection.open >= this.#maxClientCalls) {
      this.exceeded(connection, "maxClientCalls", "refused", connection.open + 1);
      this.busy(call);
      return;
    }
    const timeout = patienceOf(event.extension?.timeout);
    const deadline = this.#world.date() + timeout;
    call.admit(new RequestContext(name, args, call.from, deadline, event.header), served);
    if (!this.#limiter.enter(call)) {
      this.busy(call);
      return;
    }
    // Most calls have their answer by now, and need no timer.
    if (timeout === Infinity || !call.isUnanswered) return;
    call.deadline = this.#deadlines.after(quantised(timeout), () => {
      this.#counts.cancelled++;
      call.abandon(new TimeoutExpired(name, timeout, true));
    });
  }

  /** Refuses a call because there are too many. */
  busy(call: ServedCall): void {
    this.#counts.refused++;
    const { waiting } = this.#limiter;
    const { open } = call.from.connection;
    const text = `${waiting} calls are waiting already, and ${open} of this client are open`;
    call.refuse(refusal("busy", "ServerBusy", text));
  }

  #refuseClosing(call: ServedCall): void {
    this.#counts.refused++;
    call.refuse(CLOSING);
  }

  /** Calls that come from now on are refused. */
  close(): void {
    this.#closing = true;
  }

  /** Refuses the calls that wait. */
  refuseWaiting(): void {
    for (const call of this.#limiter.takeWaiting()) this.#refuseClosing(call as ServedCall);
  }

  /** Reports a limit, once for each connection. Listeners belong to the program, so none is called in the middle of our work. */
  exceeded(
    connection: Connection | undefined,
    limit: ServerLimitEvent["limit"],
    action: ServerLimitEvent["action"],
    value: number,
  ): void {
    if (connection === undefined || connection.told.has(limit)) return;
    connection.told.add(limit);
    const routingId = Buffer.from(connection.name, "latin1");
    const event = { type: "limit", endpoint: "", address: "", limit, action, value, routingId } as const;
    nextTick(() => this.#tell(event));
  }
}

/** Milliseconds that a caller waits; Infinity if it does not say. */
function patienceOf(timeout: unknown): number {
  return typeof timeout === "number" && timeout > 0 && timeout <= LONGEST_TIMEOUT_MS ? timeout : Infinity;
}

/**
 * The timeout, rounded up by at most a sixty-fourth, so that the timeouts that callers choose do not become as many
 * timers. A late timer does no harm, because the caller keeps its own time.
 */
function quantised(timeout: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(timeout)) - 6);
  return Math.ceil(timeout / step) * step;
}
