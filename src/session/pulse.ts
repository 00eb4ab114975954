/**
 * Heartbeats of one session: connects the protocol's rules (Heartbeat) to the clock and to the connection.
 */

import type { Appointment } from "../base/agenda.js";
import type { Buffer } from "../base/platform.js";
import type { Runtime } from "../base/runtime.js";
import type { OptionValues } from "../options/options.js";
import type { Stream } from "../transport/contract/transport.js";
import type { Ping } from "../wire/zmtp/command.js";
import { Heartbeat, type HeartbeatConfig } from "../wire/zmtp/heartbeat.js";
import { ProtocolError } from "../wire/zmtp/protocol-error.js";

/** Default milliseconds between PINGs over tcp, if the program has not set heartbeatInterval. */
const GENTLE_INTERVAL_MS = 30_000;
/** Default milliseconds of silence that end such a connection: a peer that computes for a minute is alive. */
const GENTLE_TIMEOUT_MS = 120_000;

/** What a pulse needs from its session. */
export interface PulseOwner {
  readonly runtime: Runtime;
  readonly stream: Stream;
  /** Reading is paused because the application does not read. */
  readonly throttled: boolean;
  /** Sends a heartbeat, unless too many commands wait. */
  sendHeartbeat(bytes: Uint8Array): void;
  /** The peer was silent for too long: end the connection. */
  silent(error: ProtocolError): void;
}

/**
 * Intervals and timeouts from the socket's options.
 * @param commands whether the peer knows PING: by its version of ZMTP, or because it is a WebSocket's
 * @param tcp whether the connection runs over a network, where it can die without notice
 */
export function heartbeatConfig(options: OptionValues, commands: boolean, tcp: boolean): HeartbeatConfig {
  const { heartbeatInterval, heartbeatTimeout, heartbeatTimeToLive: timeToLiveMs } = options;
  if (heartbeatInterval >= 0) {
    return { intervalMs: heartbeatInterval, timeoutMs: heartbeatTimeout, timeToLiveMs, unproven: !commands };
  }
  // Without a setting of the program, send no PINGs to a peer that may not know them.
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

  /** The answer to a PING (F7). The caller must call `due()` afterwards: the PING may have set a time to live. */
  answer(ping: Ping): Buffer {
    return this.pingReceived(ping, this.#owner.runtime.now(), this.#owner.stream);
  }

  /** Does what is due now, and schedules the rest. */
  due(): void {
    const owner = this.#owner;
    const { agenda } = owner.runtime;
    // While reading is paused, silence says nothing about the peer.
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
