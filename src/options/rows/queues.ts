/** Rows about queues, marks and the time that calls wait. */

import { asInt, setAsFlag } from "../number-forms.js";
import { option } from "../row.js";
import { boolean, count, countOrNone, size, timeOrNone, whole } from "../rules.js";

const INT32_MAX = 2 ** 31 - 1;
const MIB = 1024 * 1024;

/** Of every socket type. */
export class QueueRows {
  /** How long close() waits for unsent messages; -1 for ever, 0 drops them. Default 30000 (Subscriber, XSubscriber, Dish: 0). */
  linger? = option(timeOrNone, {
    initial: 30000,
    initialOf: { SUB: 0, XSUB: 0, DISH: 0 }, // J25
    zeromq: "-1 where the default here is not 0",
    live: true,
    numbers: [asInt(17, "LINGER")],
  });
  /**
   * Bytes that the queues of all peers may hold together, received and unsent each by itself; 0 for no limit. Above it, a
   * peer that has 64 KiB or more queued is not read from, or not sent to; event "limit". What a publisher sends to many
   * peers counts once. Default 268435456 (256 MiB).
   */
  maxQueuedBytes? = option(size, { initial: 256 * MIB, zeromq: "0", live: true });
  /**
   * How often a message is sent again, in a row, if the peer ended its connection in the middle of the message. Then it is
   * dropped, with the event "limit", because a message that the peer refuses (maxMessageSize) would block all that follow.
   * 0 drops it at the first end, -1 never. The count starts again after a connection that took 8 MiB more of the message
   * than those before, that ended before the message began, or that could not be made: so a peer that restarts loses
   * nothing. Default 3.
   */
  maxResends? = option(countOrNone, { initial: 3, live: true });
}

/** Of types that send. */
export class SendQueueRows {
  /** Messages queued for each peer at most; 0 for no limit. Default 1000. */
  sendHighWaterMark? = option(count, { initial: 1000, live: true, numbers: [asInt(23, "SNDHWM")] });
  /**
   * Bytes queued for each peer at most, beside the mark in messages (over inproc each part counts 112 more); 0 for no
   * limit. Default 0 (Publisher, XPublisher and Radio, which drop above it: 33554432, which is 32 MiB).
   */
  sendHighWaterMarkBytes? = option(size, {
    initial: 0,
    initialOf: { PUB: 32 * MIB, XPUB: 32 * MIB, RADIO: 32 * MIB },
    zeromq: "0",
    live: true,
  });
  /** How long a send waits for room; -1 for ever, 0 not at all. Default -1. */
  sendTimeout? = option(timeOrNone, { initial: -1, live: true, numbers: [asInt(28, "SNDTIMEO")] });
  /** Sends that may wait for room at the same time; more reject with EAGAIN. Default 65536. */
  sendQueueLimit? = option(whole(1, INT32_MAX), { initial: 65536, live: true });
}

/** Of types that receive. */
export class ReceiveQueueRows {
  /** Messages received from each peer and not yet read, at which reading stops; 0 for no limit. Default 1000. */
  receiveHighWaterMark? = option(count, { initial: 1000, live: true, numbers: [asInt(24, "RCVHWM")] });
  /**
   * The same in bytes. Each part counts 112 more, and what has arrived of an unfinished message counts; 0 for no limit.
   * Default 16777216 (16 MiB).
   */
  receiveHighWaterMarkBytes? = option(size, { initial: 16 * MIB, zeromq: "0", live: true });
  /** How long a receive waits; -1 for ever, 0 not at all. Default -1. */
  receiveTimeout? = option(timeOrNone, { initial: -1, live: true, numbers: [asInt(27, "RCVTIMEO")] });
  /** Remember who sent each message that is received from now on, for `peerOf(message)`. Default false. */
  messagePeers? = option(boolean, { initial: false, live: true });
}

/** Of types that can keep only the newest message (G14). */
export class ConflateRows {
  /** Keep only the newest message of each peer; messages of one part only. Default false. */
  conflate? = option(boolean, {
    initial: false,
    store: (values, name, value) => setConflate(values as unknown as Conflating, name, value as boolean),
    read: (values) => (values as unknown as Conflating).conflate === true,
    numbers: [setAsFlag(54, "CONFLATE")],
  });
}

type Conflating = { conflate: boolean | "topic" };

/** @throws TypeError where only the newest message of each topic is kept */
function setConflate(values: Conflating, name: string, value: boolean): void {
  if (values.conflate !== "topic") values.conflate = value;
  else if (value) throw new TypeError(`${name}: true contradicts conflatePerTopic: true: set one of them`);
}

/** It is kept as `conflate`. @throws TypeError where only the newest message of all is kept */
function setConflatePerTopic(values: Conflating, name: string, value: boolean): void {
  if (values.conflate !== true) values.conflate = value ? "topic" : false;
  else if (value) throw new TypeError(`${name}: true contradicts conflate: true: set one of them`);
}

/** Of types that publish or subscribe. */
export class ConflatePerTopicRows {
  /**
   * Keep only the newest message of each topic that waits for a subscriber (Publisher, XPublisher), or that was received
   * from one publisher and waits to be read (Subscriber, XSubscriber). The topic is the first part, of up to 16384 bytes.
   * A newer message takes the place of the older one, also in a full queue unless it is larger; `stats.conflated` counts.
   * Marks count a message for each topic. Default false.
   */
  conflatePerTopic? = option(boolean, {
    initial: false,
    store: (values, name, value) =>
      setConflatePerTopic(values as unknown as Conflating, name, value as boolean),
    read: (values) => (values as unknown as Conflating).conflate === "topic",
  });
}

/** Of types that send: memory that processes share. */
export class LoanRows {
  /**
   * Memory for the loans of a socket that are not back yet; see `loan()`. When it is used up, loan() gives ordinary memory,
   * which is copied. Default 268435456 (256 MiB).
   */
  maxLoanedBytes? = option(size, { initial: 256 * MIB, live: true });
}

/** Of types that receive: the same. */
export class BorrowRows {
  /**
   * How much of one peer's memory borrowed messages may hold; see `borrow()`. Above it, parts are copied. Default 67108864 (64 MiB).
   */
  maxBorrowedBytes? = option(size, { initial: 64 * MIB, live: true });
}
