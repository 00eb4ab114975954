/**
 * Which calls a server runs: limits on what a client may have open and on what may wait, the time that a caller gives
 * its call, and what is refused while the server closes.
 */
import { Buffer } from "../../base/platform.js";
import { refusal } from "../answers.js";
import type { Environment } from "../clock.js";
import type { Deadlines } from "../deadlines.js";
import { TimeoutExpired } from "../errors.js";
import { RequestContext } from "../service/context.js";
import type { ServedMethod } from "../service/service.js";
import type { ServerLimitEvent } from "../types.js";
import type { RpcEvent } from "../wire/event.js";
import type { Connection } from "./connection.js";
import type { Counts } from "./counts.js";
import type { Limiter, QueueLimit } from "./limiter.js";
import type { ServedCall } from "./served-call.js";

const CLOSING = refusal("closing", "ServerClosing", "the server is closing");

/** Objects take memory, too: what a call that waits takes beside its request. */
const CALL_BYTES = 160;
/** Longest time that a caller may ask for, about 25 days. A caller that waits longer waits without a limit. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export class Admission {
  readonly #environment: Environment;
  readonly #deadlines: Deadlines;
  readonly #limiter: Limiter;
  readonly #counts: Counts;
  readonly #maxClientCalls: number;
  readonly #tell: (event: ServerLimitEvent) => void;
  #closing = false;

  /** @param tell called with a limit that a client has exceeded, on no other stack than its own */
  constructor(
    parts: { environment: Environment; deadlines: Deadlines; limiter: Limiter; counts: Counts },
    maxClientCalls: number,
    tell: (event: ServerLimitEvent) => void,
  ) {
    this.#environment = parts.environment;
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
      this.#busy(call, "maxClientCalls");
      return;
    }
    const timeout = patienceOf(event.extension?.timeout);
    const deadline = this.#environment.date() + timeout;
    const context = new RequestContext(name, args, call.from, deadline, event.header);
    call.admit(context, served, event.weight + CALL_BYTES);
    const limit = this.#limiter.enter(call);
    if (limit !== null) {
      this.full(call, limit);
      return;
    }
    // Most calls have their answer by now, and need no timer.
    if (timeout === Infinity || !call.isUnanswered) return;
    call.deadline = this.#deadlines.after(quantised(timeout), () => {
      this.#counts.cancelled++;
      call.abandon(new TimeoutExpired(name, timeout, true));
    });
  }

  /** Refuses a call because too much waits. */
  full(call: ServedCall, limit: QueueLimit): void {
    // Many clients fill the queue together. Bytes can be the doing of one.
    if (limit === "maxWaitingBytes")
      this.exceeded(call.from.connection, limit, "refused", this.#limiter.waitingBytes + call.weight);
    this.#busy(call, limit);
  }

  #busy(call: ServedCall, limit: QueueLimit | "maxClientCalls"): void {
    this.#counts.refused++;
    const { waiting, waitingBytes } = this.#limiter;
    const { open } = call.from.connection;
    const text = `${waiting} calls of ${waitingBytes} bytes are waiting already, and ${open} of this client are open (${limit})`;
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
    this.#environment.nextTick(() => this.#tell(event));
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
