/**
 * A server's events on their way to clients: encodes each and hands it to the port.
 */
import type { Buffer } from "../../base/platform.js";
import { type Codec, sendable } from "../wire/codec.js";
import {
  EncodedArgs,
  type Extension,
  ExtensionField,
  enclose,
  encodeEvent,
  type IdSource,
} from "../wire/event.js";
import type { Counts } from "./counts.js";
import type { Port } from "./port.js";
import type { ServedCall } from "./served-call.js";

export class Outbox {
  readonly #codec: Codec;
  readonly #ids: IdSource;
  readonly #port: Port;
  readonly #counts: Counts;
  readonly #gone: () => void;
  /** Tells clients that are zwire that this server is, too. */
  readonly #announcement: ExtensionField;

  /** @param gone called when an event met a client that has left */
  constructor(codec: Codec, ids: IdSource, port: Port, counts: Counts, gone: () => void) {
    this.#codec = codec;
    this.#ids = ids;
    this.#port = port;
    this.#counts = counts;
    this.#gone = gone;
    this.#announcement = new ExtensionField(codec, {});
  }

  /** Sends an event on a channel, now or when the client accepts it. */
  emit(call: ServedCall, name: string, args: unknown, extension: Extension | null): void {
    const { from } = call;
    const announced = from.zwire ? (extension ?? this.#announcement) : null;
    if (from.zwire) from.greeted = true;
    const fields = { id: this.#ids, responseTo: call.id, headers: null, extension: announced };
    const encode = (): Buffer[] => enclose(from.envelope, encodeEvent(this.#codec, fields, name, args));
    // What a built-in method answers is encoded already. It is copied into a message only when that can be sent.
    const sent =
      args instanceof EncodedArgs ? this.#port.sendLazily(from.routingId, encode) : this.#port.send(encode());
    if (sent !== "gone") return;
    this.#counts.undelivered++;
    this.#gone();
  }

  /** A result that is sent again and again, encoded once. */
  encoded(value: unknown): EncodedArgs {
    return new EncodedArgs(this.#codec, [sendable(value, "result")]);
  }
}
