/**
 * Heartbeats of one session: the protocol's rules, with a clock and a line to the peer.
 */

import type { Appointment } from "../base/agenda.js";
import type { Buffer } from "../base/platform.js";
import type { Runtime } from "../base/runtime.js";
import type { OptionValues } from "../options/options.js";
import type { Stream } from "../transport/contract/transport.js";
import type { Ping } from "../wire/zmtp/command.js";
import { Heartbeat, type HeartbeatConfig } from "../wire/zmtp/heartbeat.js";
import { ProtocolError } from "../wire/zmtp/protocol-error.js";

/** Milliseconds between PINGs where the program has set none, over tcp. */
const GENTLE_INTERVAL_MS = 30_000;
/** Then silence ends a connection after so long: a peer that computes for a minute is not dead. */
const GENTLE_TIMEOUT_MS = 120_000;

/** What a pulse needs of its session. */
export interface PulseOwner {
  readonly runtime: Runtime;
  readonly stream: Stream;
  /** The application does not read, so nothing can come in. */
  readonly throttled: boolean;
  /** Sends a command, unless too many wait. */
  sendHeartbeat(bytes: Uint8Array): void;
  /** The peer is silent: give it up. */
  silent(error: ProtocolError): void;
}

/**
 * How often and how long, by the socket's options.
 * @param commands the peer has announced a version that knows PING
 * @param tcp the connection can die without a word
 */
export function heartbeatConfig(options: OptionValues, commands: boolean, tcp: boolean): HeartbeatConfig {
  const { heartbeatInterval, heartbeatTimeout, heartbeatTimeToLive: timeToLiveMs } = options;
  if (heartbeatInterval >= 0) {
    return { intervalMs: heartbeatInterval, timeoutMs: heartbeatTimeout, timeToLiveMs, unproven: !commands };
  }
  // A peer that has not said that it knows PING is left alone, where nobody has asked for it.
  const intervalMs = commands && tcp ? GENTLE_INTERVAL_MS : 0;
  const timeoutMs = heartbeatTimeout === -1 ? GENTLE_TIMEOUT_MS : heartbeatTimeout;
  return { intervalMs, timeoutMs, timeToLiveMs, unproven: false };
}

export class Pulse extends Heartbeat implements Appointment {
  at = 0;
  place = -1;
  readonly #owner: PulseOwner;

  constructor(owner: PulseOwner, config: HeartbeatConfig) {
    super(config, owner.runtime.now());
    this.#owner = owner;
  }

  /** The answer to a PING (F7). `due()` follows: a time to live may have begun. */
  answer(ping: Ping): Buffer {
    return this.pingReceived(ping, this.#owner.runtime.now(), this.#owner.stream);
  }

  /** Does what is due now, and waits for the rest. */
  due(): void {
    const owner = this.#owner;
    const { agenda } = owner.runtime;
    // Nothing can be read while the application holds us back: silence says nothing about the peer then.
    if (owner.throttled) this.received();
    const { output, expired, nextMs } = this.poll(owner.runtime.now(), owner.stream);
    if (expired) {
      agenda.cancel(this);
      const text =
        "the peer sent nothing within heartbeatTimeout, or within the time that its own PING named";
      owner.silent(new ProtocolError("heartbeat-timeout", text, { rule: "F9, F11", kind: "other" }));
      return;
    }
    if (Number.isFinite(nextMs)) agenda.after(nextMs, this);
    else agenda.cancel(this);
    if (output !== undefined) owner.sendHeartbeat(output); // last: a write may end the session
  }

  /** The session is over. */
  stop(): void {
    this.#owner.runtime.agenda.cancel(this);
  }
}
