/**
 * Received messages of which only the newest of each topic waits (libzmq has this for a whole connection only, G14). A
 * newer message takes the place of the older one in the queue. Constant time for each message.
 */
import { passOn } from "../../base/carried.js";
import { lentMemory, letGoOf } from "../../base/lent.js";
import type { Message } from "../../base/message.js";
import { Buffer } from "../../base/platform.js";
import { heldBytes } from "../message-size.js";
import { topicKey } from "../topic-key.js";

/** A place in the queue: like a run of one message. */
export class NewestMessage {
  /** 1 until the message is taken. */
  length = 1;
  /** The bytes that it counts against a high-water mark. */
  cost: number;
  readonly #places: Map<string, NewestMessage>;
  readonly #topic: string;
  #message: Message;

  constructor(places: Map<string, NewestMessage>, topic: string, message: Message) {
    this.#places = places;
    this.#topic = topic;
    this.#message = owned(message);
    this.cost = heldBytes(message);
  }

  /** A newer message of the topic; returns how many bytes more it counts. */
  replace(message: Message): number {
    letGoOf(this.#message);
    this.#message = owned(message);
    const before = this.cost;
    this.cost = heldBytes(message);
    return this.cost - before;
  }

  /** Takes the message. */
  shift(): Message {
    this.length = 0;
    this.#places.delete(this.#topic);
    return this.#message;
  }

  /** It is dropped unread. */
  letGo(): void {
    letGoOf(this.#message);
  }
}

/** The places of the topics of one queue. */
export class NewestOfTopics {
  readonly #places = new Map<string, NewestMessage>();
  /** How many bytes more the queue counts since a message was put into the place of another. */
  grown = 0;

  /** A new place for the message; null if it was put into that of an older one, or undefined if it has no topic. */
  put(message: Message): NewestMessage | null | undefined {
    const topic = topicKey(message);
    if (topic === null) return undefined;
    const place = this.#places.get(topic);
    if (place !== undefined) {
      this.grown = place.replace(message);
      return null;
    }
    const added = new NewestMessage(this.#places, topic, message);
    this.#places.set(topic, added);
    return added;
  }

  /** Whether a message of the topic waits that counts as many bytes, or more. */
  covers(message: Message): boolean {
    const topic = topicKey(message);
    const place = topic === null ? undefined : this.#places.get(topic);
    return place !== undefined && place.cost >= heldBytes(message);
  }

  clear(): void {
    this.#places.clear();
  }
}

/** A small message must not keep the chunk alive that it came in: of each topic one may wait for long. */
function owned(message: Message): Message {
  const result = message.map((part) => {
    if (part.buffer.byteLength <= 2 * part.length || lentMemory(part) !== undefined) return part;
    const copy = Buffer.allocUnsafeSlow(part.length);
    copy.set(part);
    return copy;
  });
  passOn(message, result);
  return result;
}
