/**
 * Checks that a connection is alive and in use: heartbeats, messageTimeout and idleTimeout. Knows neither frames nor
 * states.
 */
import { hostOf } from "../base/endpoint.js";
import type { Buffer } from "../base/platform.js";
import type { Runtime } from "../base/runtime.js";
import type { OptionValues } from "../options/options.js";
import type { Stream } from "../transport/contract/transport.js";
import { parsePing } from "../wire/zmtp/command.js";
import { ProtocolError } from "../wire/zmtp/protocol-error.js";
import { type Idler, IdleWatch } from "./idle-watch.js";
import { MessageWatch, type Watched } from "./message-watch.js";
import type { Outlet } from "./outlet.js";
import { heartbeatConfig, Pulse, type PulseOwner } from "./pulse.js";

/** For a peer that sends PINGs, where zwire sends none itself. */
const NO_PINGS = { intervalMs: 0, timeoutMs: -1, timeToLiveMs: 0, unproven: false };

/** What the vitals need from their session. */
export interface Living {
  readonly runtime: Runtime;
  readonly stream: Stream;
  /** Reading is paused because the application does not read. */
  readonly throttled: boolean;
  /** A frame or a message has begun to arrive and is incomplete. */
  readonly begun: boolean;
  /** A timeout has expired: end the connection. */
  fail(error: Error): void;
}

export class Vitals implements PulseOwner, Watched, Idler {
  readonly #session: Living;
  readonly #options: OptionValues;
  readonly #outlet: Outlet;
  /** Heartbeats that zwire sends, or answers to the peer's; null while there are neither. */
  #pulse: Pulse | null = null;
  /** Enforces messageTimeout. */
  #watch: MessageWatch | null = null;
  #idle: IdleWatch | null = null;
  /** The chunk being handled contained a PING. */
  #pinged = false;

  constructor(session: Living, outlet: Outlet, options: OptionValues) {
    this.#session = session;
    this.#outlet = outlet;
    this.#options = options;
  }

  /**
   * The handshake is complete.
   * @param commands whether the peer announced a version of ZMTP that has PING
   * @param legacy whether the peer speaks ZMTP 2.0, which has no commands (A20)
   */
  start(commands: boolean, legacy: boolean): void {
    if (!legacy) this.#startPulse(commands);
    const { messageTimeout, idleTimeout } = this.#options;
    // No timeouts over inproc: threads of this process are trusted, and may compute for long.
    if (this.stream.remoteAddress.startsWith("inproc:")) return;
    if (messageTimeout > 0) this.#watch = new MessageWatch(this, messageTimeout, this.runtime);
    if (idleTimeout > 0) this.#idle = new IdleWatch(this, idleTimeout, this.runtime.agenda);
  }

  #startPulse(commands: boolean): void {
    const { remoteAddress, answersPings } = this.stream;
    const known = commands || answersPings === true;
    const config = heartbeatConfig(this.#options, known, hostOf(remoteAddress) !== undefined);
    if (config.intervalMs === 0) return;
    this.#pulse = new Pulse(this, config);
    this.#pulse.due();
  }

  stop(): void {
    this.#pulse?.stop();
    this.#watch?.stop();
    this.#idle?.stop();
  }

  /** Bytes have arrived. */
  heard(): void {
    this.#pulse?.received();
  }

  /** A PING has arrived (F7). `answer()` writes the reply when the whole chunk is handled. */
  ping(data: Buffer): void {
    const ping = parsePing(data);
    if (ping === undefined) return; // F8
    this.#pulse ??= new Pulse(this, NO_PINGS);
    this.#outlet.queueHeartbeat(this.#pulse.answer(ping));
    this.#pinged = true;
  }

  pong(): void {
    this.#pulse?.pongReceived();
  }

  /** The whole chunk is handled: write the answers to its PINGs. */
  answer(): void {
    if (!this.#pinged) return;
    this.#pinged = false;
    this.#outlet.flush();
    this.#pulse?.due();
  }

  /** A message has ended, or could not continue until now: the timeout of the one that is arriving begins anew. */
  progress(): void {
    if (this.#watch !== null) this.#watch.anew = true;
  }

  /** A message or a subscription has arrived. */
  used(): void {
    if (this.#idle !== null) this.#idle.used = true;
  }

  // For the pulse and the watches

  get runtime(): Runtime {
    return this.#session.runtime;
  }

  get stream(): Stream {
    return this.#session.stream;
  }

  get received(): number {
    return this.stream.received;
  }

  get begun(): boolean {
    return this.#session.begun;
  }

  get throttled(): boolean {
    return this.#session.throttled;
  }

  get held(): boolean {
    return this.#outlet.takeUsed() || this.throttled || this.#outlet.writing || this.begun;
  }

  sendHeartbeat(bytes: Uint8Array): void {
    this.#outlet.sendHeartbeat(bytes);
  }

  silent(error: ProtocolError): void {
    this.#session.fail(error);
  }

  overdue(): void {
    const text = `a message that had begun to arrive made too little progress for ${this.#options.messageTimeout} ms (messageTimeout)`;
    this.#session.fail(new ProtocolError("message-timeout", text, { rule: "G9", kind: "other" }));
  }

  idled(): void {
    const text = `no message and no subscription within ${this.#options.idleTimeout} ms (idleTimeout)`;
    this.#session.fail(new ProtocolError("idle-timeout", text, { rule: "G9", kind: "other" }));
  }
}
