/**
 * STREAM (section M): tcp connections of programs that do not speak ZMTP. Each message has two parts: the name of the
 * connection, and bytes received or to be sent. Chunk boundaries have no meaning.
 */

import { ZmqError } from "../../base/errors.js";
import type { Message, OutMessage } from "../../base/message.js";
import { Buffer } from "../../base/platform.js";
import type { Pipe } from "../../engine/pipe.js";
import type { StreamPipe } from "../../engine/stream-pipe.js";
import { named } from "../envelope.js";
import { RoutingTable } from "../routing-table.js";
import { type Receiving, type Sending, type SocketType, Strategy } from "../strategy.js";

export class StreamStrategy extends Strategy implements Sending, Receiving {
  override readonly names = "bytes";
  readonly #table = new RoutingTable(() => this.host.runtime.random32());
  /** Pipes whose connection the application was told of, so that it must be told of its end. */
  readonly #told = new Set<Pipe>();

  /** Whether a connection has the name. */
  knows(name: Buffer): boolean {
    return this.#table.find(name) !== undefined;
  }

  /** A name that no connection has. */
  newName(): Buffer {
    return this.#table.generate((id) => this.host.isReserved(id));
  }

  override named(name: Uint8Array | number): Pipe | undefined {
    return typeof name === "number" ? undefined : this.#table.find(name);
  }

  override nameOf(pipe: Pipe): Buffer | null {
    return pipe.routingId;
  }

  get canSend(): boolean {
    return true; // one peer may be full while another has room
  }

  send(message: OutMessage): boolean {
    if (!Array.isArray(message) || message.length !== 2) {
      throw new ZmqError("EINVAL", {
        detail:
          "a message of a Stream must have two parts: the name of the connection, and the bytes to send",
      });
    }
    const pipe = this.#table.find(message[0]);
    if (pipe === undefined)
      throw new ZmqError("EHOSTUNREACH", { detail: "no connection has the name in the first part" }); // M5
    if (message[1].length > 0) return (pipe as StreamPipe).trySendRaw(message[1]);
    this.#told.delete(pipe); // an application that closes a connection is not told of its end
    pipe.fail(new Error("closed by the application")); // M4
    return true;
  }

  next(): Message | undefined {
    const { inbound } = this.host;
    const message = inbound.next();
    return message && named((inbound.last as Pipe).routingId as Buffer, message);
  }

  override attach(pipe: Pipe): void {
    pipe.routingId ??= this.newName();
    this.#table.add(pipe);
    this.host.roomForSends();
  }

  override connected(pipe: Pipe): void {
    this.#told.add(pipe);
  }

  override announced(pipe: Pipe): void {
    // Last, because the application may close the connection as soon as it is told. A listener may already have done so.
    if (this.#told.has(pipe)) this.#notice(pipe);
  }

  override detach(pipe: Pipe): void {
    if (this.#told.delete(pipe) && !this.host.closed) this.#notice(pipe);
    this.#table.remove(pipe);
    this.host.roomForSends(); // a send may have waited for this one
  }

  /** M2: delivers an empty chunk, which tells that a connection was made or lost. */
  #notice(pipe: Pipe): void {
    if (!this.host.options.notify) return;
    pipe.enqueue([Buffer.alloc(0)]);
    this.host.pipeReadable(pipe);
  }
}

export const STREAM: SocketType<StreamStrategy> = {
  number: 11,
  name: "STREAM",
  strategy: StreamStrategy,
  raw: true,
};
