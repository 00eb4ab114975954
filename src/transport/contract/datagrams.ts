/**
 * The second kind of transport: single datagrams instead of connections. A `DatagramPort` is one open endpoint; there is no
 * handshake, and nobody at the other end who could be asked to wait.
 */
import type { Datagram, DatagramAddress } from "../../engine/datagrams/form.js";
import type { TransportOptions } from "./transport.js";

export type { Datagram, DatagramAddress };

/** What a port tells its owner. It calls from the event loop. */
export interface DatagramHandler {
  /** A datagram, which the handler may keep. */
  onDatagram(bytes: Buffer, from: DatagramAddress): void;
  /** The system has taken the datagram for which send() returned false. */
  onDrain(): void;
  /** The system refused to send a datagram, or failed to receive. The port stays open. */
  onError(error: NodeJS.ErrnoException): void;
}

/** One open endpoint. */
export interface DatagramPort {
  /** The actual endpoint, with the real port. */
  readonly address: string;
  /**
   * Hands a datagram to the system. After false, do not send before onDrain. `to` is null on a port that is connected.
   * What the system refuses is told to onError.
   */
  send(datagram: Datagram): boolean;
  /** Closes it. Resolves when the address is free. */
  close(): Promise<void>;
  ref(): void;
  unref(): void;
}

/** Options of ports beside those of streams. */
export interface DatagramOptions extends TransportOptions {
  /** Routers that a multicast datagram may pass, plus one. */
  readonly multicastHops: number;
  /** Whether sockets of this host get the multicast datagrams that it sends. */
  readonly multicastLoopback: boolean;
}

/** Everything about one scheme. `address` is the part of an endpoint behind `://`. */
export interface DatagramTransport {
  /**
   * Checks an address and the options for bind(), so that bind() throws at once for those that can never work.
   * @throws ZmqError EINVAL, ENOTSUP
   */
  checkBind(address: string, options: DatagramOptions): void;
  /** As checkBind, for connect(). */
  checkConnect(address: string, options: DatagramOptions): void;
  /** Whether each bind of the address gives another endpoint, because the system chooses a port. */
  isWildcard(address: string): boolean;
  /** @param sends whether it will send, too */
  bind(
    address: string,
    options: DatagramOptions,
    handler: DatagramHandler,
    sends: boolean,
  ): Promise<DatagramPort>;
  /** As bind, but it is open when this returns. It cannot look up a host name with a name server. */
  bindSync(address: string, options: DatagramOptions, handler: DatagramHandler, sends: boolean): DatagramPort;
  /** Opens a port that sends to one address. It receives nothing. Looks up the host's name, once. */
  connect(address: string, options: DatagramOptions, handler: DatagramHandler): Promise<DatagramPort>;
}
