/** Who sent which message: it stands in a private field of the message. */
import type { Peer } from "../base/events.js";
import { Given } from "../base/given.js";

class Mark extends Given {
  #by: object;
  #peer: Peer;

  constructor(message: object, by: object, peer: Peer) {
    super(message);
    this.#by = by;
    this.#peer = peer;
  }

  /** False: the message has a mark of another socket, and can have only one. */
  static write(message: object, by: object, peer: Peer): boolean {
    if (!(#peer in message)) new Mark(message, by, peer);
    else if (message.#by !== by) return false;
    else message.#peer = peer;
    return true;
  }

  static read(message: object, by: object): Peer | undefined {
    return #peer in message && message.#by === by ? message.#peer : undefined;
  }
}

/** The marks of one socket. */
export class SenderMarks {
  /** Of messages that bear a mark of another socket: over inproc, the same object may go to several. */
  readonly #others = new WeakMap<object, Peer>();

  of(message: object): Peer | undefined {
    return Mark.read(message, this) ?? this.#others.get(message);
  }

  set(message: object, peer: Peer): void {
    if (!Mark.write(message, this, peer)) this.#others.set(message, peer);
  }
}
