/** Rows about making connections, keeping them, and what a socket says of itself. */

import { NO_PROPERTIES, type Properties, parseProperties } from "../../security/properties.js";
import { addAsProperty, asBinary, asFlag, asInt, setAsBinary, setAsLenientFlag } from "../number-forms.js";
import { option, type Rule } from "../row.js";
import { boolean, identity, notice, time, timeOrNone, whole } from "../rules.js";

/** Properties of connection metadata, as they may be given. */
type GivenProperties =
  | Readonly<Record<string, string | Uint8Array>>
  | ReadonlyMap<string, string | Uint8Array>
  | null;

const properties: Rule<GivenProperties> = {
  type: "object or Map of string or Uint8Array, or null",
  check: (name, value) => parseProperties(name, value, true),
};

/** Of every socket type. */
export class ConnectionRows {
  /** Queue messages only for peers that are connected. Default false. */
  immediate? = option(boolean, { initial: false, numbers: [asFlag(39, "IMMEDIATE")] });
  /** Wait before the first attempt to connect again, plus a random part of the same length; 0 and -1: never again. Default 100. */
  reconnectInterval? = option(timeOrNone, { initial: 100, numbers: [asInt(18, "RECONNECT_IVL")] });
  /** Double the wait up to this, without a random part; 0 keeps reconnectInterval. Default 0. */
  reconnectMaxInterval? = option(time, { initial: 0, numbers: [asInt(21, "RECONNECT_IVL_MAX")] });
  /**
   * When to give an endpoint up instead of connecting again, with the event "close": the sum of 1 (the connection is
   * refused), 2 (a connection ends before its handshake is complete) and 4 (the connection is refused after disconnect(),
   * while unsent messages linger). Default 0.
   */
  reconnectStop? = option(whole(0, 7), { initial: 0, numbers: [asInt(109, "RECONNECT_STOP")] });
  /**
   * Time for one attempt to connect, including the look-up and all addresses of a name; 0 leaves it to the system. The
   * addresses are tried in turn, the next one after a failure or 250 ms of silence (RFC 8305). Default 0.
   */
  connectTimeout? = option(time, { initial: 0, numbers: [asInt(79, "CONNECT_TIMEOUT")] });
  /** Time for greeting and handshake; 0 for ever. Default 30000. */
  handshakeInterval? = option(time, { initial: 30000, numbers: [asInt(66, "HANDSHAKE_IVL")] });
  /**
   * Time between PINGs to a peer; 0 sends none. -1 sends one every 30000 ms over tcp to peers of ZMTP 3.1, where a
   * connection can die without notice, and none over ipc and inproc. Default -1.
   */
  heartbeatInterval? = option(timeOrNone, {
    initial: -1,
    zeromq: "0",
    numbers: [asInt(75, "HEARTBEAT_IVL")],
  });
  /**
   * Silence after a PING that ends the connection. -1 is heartbeatInterval, or 120000 where that is -1; 0 waits for ever.
   * Default -1.
   */
  heartbeatTimeout? = option(timeOrNone, { initial: -1, numbers: [asInt(77, "HEARTBEAT_TIMEOUT")] });
  /** Silence after which the peer is to end the connection. It is sent in tenths of a second, and 65500 ms at most (F10); 0 sends none. Default 0. */
  heartbeatTimeToLive? = option(whole(0, 6_553_599, "milliseconds"), {
    initial: 0, // U3
    numbers: [asInt(76, "HEARTBEAT_TTL")],
  });
  /**
   * Properties of this socket that peers see as `peer.metadata` (C16). Names are `X-` and up to 253 letters, digits or
   * `-_.+`; values are not empty; at most 48 properties and 32 KiB. null for none. Reads as a Map of Buffers. Default: none.
   */
  metadata? = option(properties, {
    initial: NO_PROPERTIES,
    shown: "none",
    read: (values) => new Map((values as unknown as { metadata: Properties }).metadata),
    numbers: [addAsProperty(95, "METADATA")],
  });
}

/** Of types that tell the peer a name. */
export class IdentityRows {
  /** Name told to the peer: 1 to 255 bytes (C12). A Reply tells it over inproc only. Default: null, which is none. */
  routingId?: string | Uint8Array | null | undefined = option(identity, {
    initial: null,
    numbers: [asBinary(5, "ROUTING_ID")],
  });
}

/** Of types that may have to tell a Router that they are there. */
export class ProbeRows {
  /** Send each new peer an empty message first (I14). Default false. */
  probeRouter? = option(boolean, {
    initial: false,
    live: true,
    numbers: [setAsLenientFlag(51, "PROBE_ROUTER")],
  });
}

/** Of types that may greet: in one part, over every transport. */
export class HelloRows {
  /**
   * Message of one part that each peer gets before any other, on each connection; not for Request and Reply peers, to
   * which it means nothing. null or empty for none. Default null.
   */
  helloMessage?: string | Uint8Array | null | undefined = option(notice, {
    initial: null,
    numbers: [setAsBinary(110, "HELLO_MSG")],
  });
}

/** Of types that tell their peers apart. */
export class DisconnectRows {
  /**
   * Message of one part that is received, as if from the peer, as the last one of a peer that had connected and is gone.
   * Not after unbind() or close(). null or empty for none. Default null.
   */
  disconnectMessage?: string | Uint8Array | null | undefined = option(notice, {
    initial: null,
    numbers: [setAsBinary(111, "DISCONNECT_MSG")],
  });
}

/** Of types that may be told of a lost connection. */
export class HiccupRows {
  /**
   * Message of one part that is received when a connection made by this socket is lost and will be made again; not over
   * inproc, where none is. null or empty for none. Default null.
   */
  hiccupMessage?: string | Uint8Array | null | undefined = option(notice, {
    initial: null,
    numbers: [setAsBinary(114, "HICCUP_MSG")],
  });
}
