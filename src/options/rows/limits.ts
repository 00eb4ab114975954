/** Rows about what peers may cost. */

import { asLong } from "../number-forms.js";
import { option } from "../row.js";
import { count, sizeOrNone, time, whole } from "../rules.js";

const INT32_MAX = 2 ** 31 - 1;

/** Of every socket type. */
export class LimitRows {
  /**
   * Largest part accepted; -1 for the context's limit, which is 2147483647. A larger one closes the connection (E15);
   * over udp it is dropped. Default -1.
   */
  maxMessageSize? = option(sizeOrNone, { initial: -1, numbers: [asLong(22, "MAXMSGSIZE")] });
  /** Largest message accepted, all parts together; -1 for 2147483647. A larger one closes the connection. Default -1. */
  maxMultipartSize? = option(sizeOrNone, { initial: -1 });
  /** Parts of one message at most: more close the connection of the peer that sends them, and a send throws a RangeError. Default 65536. */
  maxMessageParts? = option(whole(1, INT32_MAX), { initial: 65536 });
  /**
   * Time in which a message that has begun to arrive must end, or go on at 256 bytes a second at least; otherwise the
   * connection is closed, with the event "limit". Time in which the socket itself does not read does not count. Not for
   * inproc and Stream. 0 waits for ever. Default 120000.
   */
  messageTimeout? = option(time, { initial: 120000, zeromq: "0" });
}

/** Of every socket type: what connections to bound endpoints may cost. */
export class AdmissionRows {
  /**
   * Time without a message or a subscription in either direction after which a connection to a bound endpoint is closed,
   * with the event "limit"; PINGs do not count. Not for inproc and Stream, nor for connections that the socket made. 0 for
   * no limit. Default 0.
   */
  idleTimeout? = option(time, { initial: 0 });
  /**
   * Connections to bound endpoints that a socket has at once; one more is closed as it comes, with the event "limit". 0
   * for no limit. Default 65536.
   */
  maxConnections? = option(count, { initial: 65536, zeromq: "0", live: true });
  /**
   * Connections to bound endpoints whose handshake is not complete. When one more comes, the oldest is closed if it has
   * taken a tenth of handshakeInterval, and otherwise the new one. 0 for no limit. Default 1024.
   */
  maxHandshakes? = option(count, { initial: 1024, zeromq: "0", live: true });
  /** Connections at once from one tcp address (of IPv6, from one network of 64 bits); ipc has no addresses. 0 for no limit. Default 0. */
  maxConnectionsPerAddress? = option(count, { initial: 0, live: true });
  /** Connections that one tcp address may make per second, and as many at once; 0 for no limit. Default 0. */
  maxConnectionRate? = option(count, { initial: 0, live: true });
}
