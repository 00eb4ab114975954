/**
 * Ports for datagrams over node:dgram, under either engine. Everything is numeric here, so that node:dgram binds and sends
 * before its calls return.
 */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { Datagram, DatagramAddress, DatagramHandler } from "../contract/datagrams.js";
import { ipv6Only } from "../contract/stream-engine.js";

/** How to open a port. */
export interface PortSettings {
  /** Our numeric address, and the port; 0 for any. */
  readonly host: string;
  readonly port: number;
  /** Others may bind the same port: for multicast. */
  readonly shared: boolean;
  /** The multicast group to join. */
  readonly group: string | null;
  /** Numeric address of the interface for multicast, in both directions; null leaves it to the system. */
  readonly interface: string | null;
  readonly multicastHops: number;
  readonly multicastLoopback: boolean;
  /** SO_RCVBUF and SO_SNDBUF in bytes; -1 leaves the system's. */
  readonly receiveBufferSize: number;
  readonly sendBufferSize: number;
}

/** Hosts are numeric: nothing is looked up, and the answer comes at once. */
function noLookup(
  host: string,
  _options: unknown,
  done: (error: null, address: string, family: number) => void,
): void {
  done(null, host, isIPv6(host) ? 6 : 4);
}

const plain = (host: string): string => host.replace(/^::ffff:(?=\d+\.)/, "");

export class NodePort {
  readonly #socket: Socket;
  readonly #six: boolean;
  readonly #handler: DatagramHandler;
  #open = false;
  /** The system has not taken the last datagram. */
  #waits = false;
  #closed = false;
  #fault: Error | undefined;

  /** Opens it. @throws the system's error */
  constructor(settings: PortSettings, handler: DatagramHandler) {
    const { host, port, shared } = settings;
    this.#handler = handler;
    this.#six = isIPv6(host);
    const type = this.#six ? "udp6" : "udp4";
    const only = this.#six && ipv6Only(host);
    this.#socket = createSocket({ type, reuseAddr: shared, ipv6Only: only, lookup: noLookup });
    // An error of bind() is told here, before it returns; later ones are those of reading.
    this.#socket.on("error", (error) => {
      if (this.#fault === undefined && !this.#open) this.#fault = error;
      else handler.onError(error);
    });
    this.#socket.on("message", (bytes, from) => this.#received(bytes, from));
    try {
      this.#socket.bind({ address: host, port, exclusive: true });
      if (this.#fault !== undefined) throw this.#fault;
      this.#configure(settings);
    } catch (error) {
      this.#socket.close();
      throw error;
    }
    this.#open = true;
  }

  #configure(settings: PortSettings): void {
    const socket = this.#socket;
    if (settings.receiveBufferSize >= 0) socket.setRecvBufferSize(settings.receiveBufferSize);
    if (settings.sendBufferSize >= 0) socket.setSendBufferSize(settings.sendBufferSize);
    socket.setMulticastTTL(settings.multicastHops);
    socket.setMulticastLoopback(settings.multicastLoopback);
    if (settings.interface !== null) socket.setMulticastInterface(settings.interface);
    if (settings.group !== null) socket.addMembership(settings.group, settings.interface ?? undefined);
  }

  /** The port that it has. */
  get port(): number {
    return this.#socket.address().port;
  }

  #received(bytes: Buffer, { address, port }: RemoteInfo): void {
    if (!this.#closed) this.#handler.onDatagram(bytes, { host: plain(address), port });
  }

  send({ bytes }: Datagram, { host, port }: DatagramAddress): boolean {
    const socket = this.#socket;
    const target = this.#six && !isIPv6(host) ? `::ffff:${host}` : host;
    socket.send(bytes, port, target, this.#sent);
    this.#waits = socket.getSendQueueCount() > 0;
    return !this.#waits;
  }

  readonly #sent = (error: Error | null): void => {
    if (this.#closed) return;
    if (error !== null) this.#handler.onError(error);
    if (!this.#waits || this.#socket.getSendQueueCount() > 0) return;
    this.#waits = false;
    this.#handler.onDrain();
  };

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }
}
