/**
 * What a datagram of udp looks like: between RADIO and DISH one byte with the length of the group, the group and the body; of
 * DGRAM the body alone, with the address of the other side beside it (N13, N14). Does no I/O.
 */
import { addressBytes } from "../../base/accept-filter.js";
import { ZmqError } from "../../base/errors.js";
import type { Message, OutMessage } from "../../base/message.js";
import { Buffer } from "../../base/platform.js";

/** Bytes that one datagram can carry over IPv4: 65535 less the headers of IP and udp. */
export const LARGEST_DATAGRAM = 65507;

/** Where a datagram goes to or comes from: a numeric address. */
export interface DatagramAddress {
  readonly host: string;
  readonly port: number;
}

/** A datagram on its way out. */
export interface Datagram {
  readonly bytes: Uint8Array;
  /** null: to where the endpoint is connected. */
  readonly to: DatagramAddress | null;
}

/** How messages of a socket type become datagrams, and the other way round. */
export interface DatagramForm {
  /**
   * The datagram of a message. Copies its bytes.
   * @throws ZmqError EMSGSIZE if it is too large; EINVAL if it has no address to go to
   */
  encode(message: OutMessage): Datagram;
  /** The message of a datagram, or undefined if it is none. */
  decode(bytes: Buffer, from: DatagramAddress): Message | undefined;
}

function requireSize(bytes: number): void {
  if (bytes <= LARGEST_DATAGRAM) return;
  const detail = `a datagram of udp has at most ${LARGEST_DATAGRAM} bytes; got ${bytes}`;
  throw new ZmqError("EMSGSIZE", { detail });
}

/** The size of a message with its group as a datagram. @throws ZmqError EMSGSIZE */
export function requireGroupFits([group, body]: readonly Uint8Array[]): void {
  requireSize(1 + group.length + body.length);
}

/** Of RADIO and DISH. Messages are a group and a body. */
export const GROUP_FORM: DatagramForm = {
  encode(message) {
    const [group, body] = message as Uint8Array[];
    requireGroupFits([group, body]);
    return { bytes: Buffer.concat([Uint8Array.of(group.length), group, body]), to: null };
  },
  decode(bytes) {
    const end = 1 + bytes[0];
    // Also of an empty datagram, which has no length.
    return end <= bytes.length ? [bytes.subarray(1, end), bytes.subarray(end)] : undefined;
  },
};

/**
 * The address that a message goes to. A NUL at its end, which libzmq puts there, is no part of it.
 * @throws ZmqError EINVAL
 */
function addressIn(part: Uint8Array): DatagramAddress {
  const text = Buffer.from(part.buffer, part.byteOffset, part.length).toString("latin1").replace(/\0$/, "");
  const [, six, four, digits] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  const host = six ?? four ?? "";
  const port = Number(digits);
  // A zone, such as %eth0, belongs to an address of one link.
  const size = addressBytes(host.replace(/%[\w.-]+$/, ""))?.length;
  if (size === (six === undefined ? 4 : 16) && port > 0 && port <= 65535) return { host, port };
  const detail = `the first part must be an address such as 192.0.2.1:5555 or [2001:db8::1]:5555; got "${text.slice(0, 80)}"`;
  throw new ZmqError("EINVAL", { detail });
}

/** Where a message of DGRAM goes to. @throws ZmqError EINVAL, EMSGSIZE */
export function destinationOf(message: OutMessage): DatagramAddress {
  if (!Array.isArray(message) || message.length !== 2) {
    const detail = "a message of a Datagram must have two parts: the address, and the bytes to send";
    throw new ZmqError("EINVAL", { detail });
  }
  requireSize(message[1].length);
  return addressIn(message[0]);
}

/** An address as text. */
function shownAddress({ host, port }: DatagramAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Of DGRAM. Messages are an address and a body. */
export const ADDRESS_FORM: DatagramForm = {
  encode(message) {
    const to = destinationOf(message);
    return { bytes: Buffer.from((message as Uint8Array[])[1]), to };
  },
  decode: (bytes, from) => [Buffer.from(shownAddress(from)), bytes],
};
