/**
 * One bound or connected endpoint of udp. There is no connection and no peer: it is open or not, and its pipe lives as long as it
 * does. What arrives from anybody and cannot be queued, or is no message, is dropped, counted, and told at most once a second.
 */

import type { Deadline } from "../base/deadline.js";
import { ZmqError } from "../base/errors.js";
import type { Buffer } from "../base/platform.js";
import type { Runtime } from "../base/runtime.js";
import { DatagramPipe, type Refusal } from "../engine/datagrams/datagram-pipe.js";
import type { Datagram, DatagramAddress, DatagramForm } from "../engine/datagrams/form.js";
import type { OptionValues } from "../options/options.js";
import { optionsNow } from "../options/values.js";
import type { EndpointHandle, Link, SocketHost } from "../session/host.js";
import type { DatagramHandler, DatagramPort, DatagramTransport } from "../transport/contract/datagrams.js";
import { Backoff } from "./backoff.js";
import { flushed } from "./linger.js";

/** The endpoint, as the application wrote it, and what follows `://`. */
export interface DatagramTarget {
  readonly endpoint: string;
  readonly address: string;
}

/** Report the same limit at most this often: anybody can send anything. */
const TELL_EVERY_MS = 1000;

export class DatagramEndpoint implements EndpointHandle, DatagramHandler {
  /** The actual endpoint, once it is bound. */
  endpoint: string;
  readonly pipe: DatagramPipe;
  readonly #host: SocketHost;
  readonly #transport: DatagramTransport;
  readonly #address: string;
  readonly #options: OptionValues;
  readonly #backoff: Backoff;
  readonly #onStopped: () => void;
  #port: DatagramPort | null = null;
  #attached = false;
  #closing = false;
  #closed = false;
  /** Datagrams that have come. */
  #received = 0;
  /** Of the wait before the next attempt to open. */
  #timer: Deadline | undefined;
  readonly #told = new Map<string, number>();

  /** @param onStopped it could not be opened, and will not try again: forget the endpoint */
  constructor(
    host: SocketHost,
    transport: DatagramTransport,
    target: DatagramTarget,
    form: DatagramForm,
    onStopped: () => void,
  ) {
    this.#host = host;
    this.#transport = transport;
    this.endpoint = target.endpoint;
    this.#address = target.address;
    this.#onStopped = onStopped;
    this.#options = optionsNow(host.options);
    this.pipe = new DatagramPipe(host, host.options, this.#runtime.turnEnd, form);
    const { reconnectInterval, reconnectMaxInterval } = this.#options;
    this.#backoff = new Backoff(reconnectInterval, reconnectMaxInterval, () => this.#runtime.random());
  }

  get #runtime(): Runtime {
    return this.#host.runtime;
  }

  // Opening

  /** Binds it; rejects if the address is not available. @param sends whether the socket sends from it, too */
  async bind(sends: boolean): Promise<void> {
    this.#bound(await this.#transport.bind(this.#address, this.#options, this, sends));
  }

  /** As bind(), but synchronous. */
  bindSync(sends: boolean): void {
    this.#bound(this.#transport.bindSync(this.#address, this.#options, this, sends));
  }

  #bound(port: DatagramPort): void {
    this.endpoint = port.address;
    this.#opened(port);
  }

  /** Connects it: messages queue from now on, unless `immediate`. */
  start(): void {
    if (!this.#options.immediate) this.#attach();
    void this.#connect();
  }

  async #connect(): Promise<void> {
    this.#host.emitEvent("connect:delay", { address: this.endpoint });
    if (this.#closed) return; // by a listener of that event
    let port: DatagramPort;
    try {
      port = await this.#transport.connect(this.#address, this.#options, this);
    } catch (error) {
      if (!this.#closed) this.#retry(error as Error);
      return;
    }
    if (this.#closed) {
      void port.close();
      return;
    }
    this.#host.emitEvent("connect", { address: this.endpoint });
    if (this.#closed) void port.close();
    else this.#opened(port);
  }

  #retry(error: Error): void {
    if (!this.#backoff.enabled || this.#closing) {
      this.#host.emitEvent("close", { address: this.endpoint });
      this.#end();
      this.#onStopped();
      return;
    }
    const interval = this.#backoff.next();
    this.#timer = this.#runtime.loop.deadline(interval, () => void this.#connect());
    if (!this.#host.refed) this.#timer.unref();
    this.#host.emitEvent("connect:retry", { address: this.endpoint, interval, error });
  }

  #opened(port: DatagramPort): void {
    this.#port = port;
    if (!this.#host.refed) port.unref();
    if (!this.#closing) this.#attach();
    this.pipe.link({ send: (datagram: Datagram) => port.send(datagram) });
  }

  #attach(): void {
    if (this.#attached) return;
    this.#attached = true;
    this.#host.attachPipe(this.pipe);
  }

  #detach(): void {
    if (!this.#attached) return;
    this.#attached = false;
    this.#host.detachPipe(this.pipe);
  }

  // From the port

  onDatagram(bytes: Buffer, from: DatagramAddress): void {
    if (this.#closing) return;
    this.#received++;
    const refusal = this.pipe.arrived(bytes, from);
    if (refusal !== undefined) this.#refused(refusal, from);
  }

  #refused({ limit, value }: Refusal, { host, port }: DatagramAddress): void {
    this.#host.lost.messages++;
    const from = `udp://${host.includes(":") ? `[${host}]` : host}:${port}`;
    const detail = "the length of its group exceeds it";
    const error = limit === "datagram" ? new ZmqError("EPROTO", { address: from, detail }) : undefined;
    this.#tell({ address: from, limit, value, error });
  }

  onDrain(): void {
    this.pipe.drained();
  }

  /** Such as a network that cannot be reached. */
  onError(error: NodeJS.ErrnoException): void {
    if (this.#closed) return;
    this.#host.lost.messages++;
    this.#tell({ address: this.endpoint, limit: "datagram", error });
  }

  #tell(what: { address: string; limit: string; value?: number; error?: Error }): void {
    const now = this.#runtime.now();
    if (now - (this.#told.get(what.limit) ?? Number.NEGATIVE_INFINITY) < TELL_EVERY_MS) return;
    this.#told.set(what.limit, now);
    this.#host.emitEvent("limit", { ...what, endpoint: this.endpoint, action: "dropped" });
  }

  // From the socket

  /** There is no connection that could be dropped. */
  reset(): boolean {
    return false;
  }

  /** It has no peers: links says when it is done. */
  drain(): void {}

  /** What the system still holds is not known, so the port is closed when nothing has come for a while. */
  get links(): Link[] {
    const end = (): boolean => {
      void this.close(0);
      return true;
    };
    const [{ pipe }, received] = [this, this.#received];
    return this.#closing ? [] : [{ pipe, received, partial: false, peerKeeps: false, end }];
  }

  async close(lingerMs: number): Promise<void> {
    this.#closing = true;
    this.#detach();
    if (!this.#closed) await flushed([this.pipe], lingerMs, this.#runtime.loop);
    if (this.#closed) return;
    this.#host.lost.unsent += this.pipe.outboundLength;
    const released = this.#end();
    await released;
    this.#host.emitEvent("close", { address: this.endpoint });
  }

  #end(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.pipe.unlink();
    this.#detach();
    this.pipe.discardOutbound();
    this.pipe.onEmpty?.();
    return this.#port?.close() ?? Promise.resolve();
  }

  get unsent(): number {
    return this.pipe.outboundLength;
  }

  abandon(): void {
    this.pipe.onEmpty?.();
  }

  ref(): void {
    this.#timer?.ref();
    this.#port?.ref();
  }

  unref(): void {
    this.#timer?.unref();
    this.#port?.unref();
  }
}
