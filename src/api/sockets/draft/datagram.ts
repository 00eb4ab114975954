/**
 * DGRAM of libzmq (item N14): single datagrams of udp, to and from anybody.
 */

import type { Buffer } from "../../../base/platform.js";
import type { OptionsOf, PropertiesOf } from "../../../options/options.js";
import { optionsOf } from "../../../options/table.js";
import { DGRAM } from "../../../patterns/strategies/draft/datagram.js";
import { defineOptions } from "../../socket.js";
import { DuplexSocket } from "../../writable.js";

const OPTIONS = optionsOf("DGRAM");

/** Options of Datagram. */
export interface DatagramOptions extends OptionsOf<"DGRAM"> {}

/** A received datagram: where it came from, such as `192.0.2.1:5555` or `[2001:db8::1]:5555`, and its bytes. */
export type DatagramMessage = [address: Buffer, body: Buffer];

export interface Datagram extends PropertiesOf<"DGRAM"> {}

/**
 * Sends and receives single datagrams over udp, also with programs that have no ZeroMQ. It binds one endpoint, and sends from
 * there: `send([address, body])`, with a numeric address as it comes with each received datagram. A send waits until there is an
 * endpoint. It rejects with EINVAL for another number of parts or a first part that is no address, and with EMSGSIZE for a body
 * above 65507 bytes. Datagrams can be lost, doubled and overtake each other.
 */
export class Datagram extends DuplexSocket<DatagramMessage> {
  constructor(options?: DatagramOptions) {
    super(DGRAM, options, OPTIONS);
    if (new.target === Datagram) Object.seal(this);
  }
}

defineOptions(Datagram, OPTIONS);
