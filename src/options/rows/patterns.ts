/** Rows that only some socket types have, because of what the type does. */

import {
  asFlag,
  asInt,
  asLenientFlag,
  asVerbose,
  asVerboser,
  setAsAnyFlag,
  setAsBinary,
  setAsFlag,
  setAsLenientFlag,
  setAsManualLastValue,
} from "../number-forms.js";
import { option, type Rule } from "../row.js";
import { boolean, bytes, count, oneOf, size, whole } from "../rules.js";

/**
 * What to do with a message for a peer whose queue is full: wait until it has room, drop this message for it, drop the
 * oldest ones that wait for it, or close its connection. What is being written is never dropped. Dropping is told once
 * until the peer has room again, closing each time: event "limit"; `stats.dropped` counts.
 */
export type OnFull = "wait" | "dropNewest" | "dropOldest" | "disconnect";

const MIB = 1024 * 1024;
const LONGEST_TOPIC = 2 ** 28; // in bytes: below what one string can hold
const onFull = oneOf(null, "wait", "dropNewest", "dropOldest", "disconnect");

type Full = { onFull: OnFull | null };

/** noDrop is kept as onFull. @throws TypeError where full peers are dealt with in a third way */
function setNoDrop(values: Full, name: string, value: unknown): void {
  if (value === false) {
    if (values.onFull === "wait") values.onFull = "dropNewest";
    return;
  }
  if (values.onFull === "dropOldest" || values.onFull === "disconnect") {
    throw new TypeError(`${name}: true contradicts onFull: "${values.onFull}": set one of them`);
  }
  values.onFull = "wait";
}

/** Of types that send copies to many peers. */
export class CopyingRows {
  /** See OnFull. A send that waits for one peer waits with its copies for all. Default "dropNewest". */
  onFull? = option(onFull as Rule<OnFull>, {
    initial: null,
    initialOf: { PUB: "dropNewest", XPUB: "dropNewest", RADIO: "dropNewest" },
    live: true,
  });
  /** Another name for `onFull: "wait"`; a TypeError where it contradicts onFull (J19, N12). Default false. */
  noDrop? = option(boolean, {
    initial: false,
    live: true,
    store: (values, name, value) => setNoDrop(values as unknown as Full, name, value),
    read: (values) => (values as unknown as Full).onFull === "wait",
    numbers: [setAsLenientFlag(69, "XPUB_NODROP")],
  });
}

/** Of types that send over udp. */
export class MulticastRows {
  /** Networks that a multicast datagram may pass, 1 to 255: 1 stays in the local one. Default 1. */
  multicastHops? = option(whole(1, 255), { initial: 1, numbers: [asInt(25, "MULTICAST_HOPS")] });
  /** Sockets of this host get the multicast datagrams that this one sends. Default true. */
  multicastLoopback? = option(boolean, { initial: true, numbers: [asFlag(96, "MULTICAST_LOOP")] });
}

/** Of types that subscribe, or are subscribed to. */
export class TopicRows {
  /**
   * Bytes of a topic at most. A peer's longer one is ignored, with the event "limit"; one of our own is refused. Default
   * 16384.
   */
  maxTopicLength? = option(whole(1, LONGEST_TOPIC, "bytes"), {
    initial: 16384,
    zeromq: "268435456",
    live: true,
  });
}

/** Of types that pass subscriptions on. */
export class FirstSubscribeRows {
  /**
   * Look for subscriptions in a message of several parts only if its first part is one; false looks at each part (J17).
   * Default true.
   */
  onlyFirstSubscribe? = option(boolean, {
    initial: true,
    zeromq: "false",
    live: true,
    numbers: [setAsLenientFlag(108, "ONLY_FIRST_SUBSCRIBE")],
  });
}

/** Of types that are subscribed to. */
export class PublisherRows {
  /**
   * Topics that all peers together may be subscribed to; 0 for no limit. Each counts once for each peer that holds it, and
   * once more for each 256 bytes. A subscription beyond it is ignored, with the event "limit". Default 250000.
   */
  maxTopics? = option(count, { initial: 250_000, zeromq: "0", live: true });
  /** The same for one peer, so that none can take what is meant for all; 0 for no limit. Default 100000. */
  maxTopicsPerPeer? = option(count, { initial: 100_000, zeromq: "0", live: true });
}

type Keeping = { lastValue: boolean; invertMatching: boolean; manualLastValue: boolean };

/** @throws TypeError where another option decides otherwise what a new subscriber gets */
function setLastValue(values: Keeping, name: string, value: boolean): void {
  const other = values.invertMatching ? "invertMatching" : "manualLastValue";
  if (value && values[other]) throw contradiction(name, other);
  values.lastValue = value;
}

function contradiction(name: string, other: string): TypeError {
  return new TypeError(`${name}: true contradicts ${other}: true: set one of them`);
}

/** Of types that are subscribed to: values for newcomers. */
export class LastValueRows {
  /**
   * Keep the last message of each topic, and send each new subscription those that match it, before anything that is
   * published later. The topic is the first part, of up to 16384 bytes; messages of one part are not kept. Not together
   * with `invertMatching` or `manualLastValue`. false forgets all. Default false.
   */
  lastValue? = option(boolean, {
    initial: false,
    live: true,
    store: (values, name, value) => setLastValue(values as unknown as Keeping, name, value as boolean),
  });
  /**
   * Topics with a kept message at most; 0 for no limit. Above it, the message that was published first is dropped, with the
   * event "limit"; `stats.lastValuesEvicted` counts. Default 10000.
   */
  lastValueTopics? = option(count, { initial: 10_000, live: true });
  /**
   * Bytes of kept messages at most; 0 for no limit. Each counts 112 for each part, 256 and the topic once more. Above it, as
   * above `lastValueTopics`; a message larger than the limit is not kept. Default 67108864 (64 MiB).
   */
  lastValueBytes? = option(size, { initial: 64 * MIB, live: true });
}

/** Of types for which matching can be turned round. */
export class MatchingRows {
  /** A message goes to the subscribers whose topics do not match it; set it on both sides (J24). Default false. */
  invertMatching? = option(boolean, {
    initial: false,
    live: true,
    store: (values, name, value) => {
      const options = values as unknown as Keeping;
      if (value && options.lastValue) throw contradiction(name, "lastValue");
      options.invertMatching = value as boolean;
    },
    numbers: [asLenientFlag(74, "INVERT_MATCHING")],
  });
}

type Manual = { manual: boolean; manualLastValue: boolean; lastValue: boolean };

/** Of XPublisher. */
export class XPublisherRows {
  /**
   * Subscriptions take effect only by subscribe() and unsubscribe() of this socket, and each one and each end of one is
   * delivered, also when its peer leaves (J20). Default false.
   */
  manual? = option(boolean, { initial: false, live: true, numbers: [setAsLenientFlag(71, "XPUB_MANUAL")] });
  /**
   * As `manual`, which true sets too; and the first message sent after a subscription was read goes to its subscriber
   * alone, if it matches: the last value for who is new. subscribe() comes before that message (J22). Default false.
   */
  manualLastValue? = option(boolean, {
    initial: false,
    live: true,
    store: (values, name, value) => {
      const options = values as unknown as Manual;
      if (value && options.lastValue) throw contradiction(name, "lastValue");
      options.manualLastValue = value as boolean;
      if (options.manualLastValue) options.manual = true;
    },
    numbers: [setAsManualLastValue(98, "XPUB_MANUAL_LAST_VALUE")],
  });
  /** Which subscriptions are delivered: null only new topics, "allSubs" every subscription, "allSubsUnsubs" every end of one too (J14). Default null. */
  verbosity? = option(oneOf(null, "allSubs", "allSubsUnsubs"), {
    initial: null,
    live: true,
    numbers: [asVerbose(40, "XPUB_VERBOSE"), asVerboser(78, "XPUB_VERBOSER")],
  });
  /** Message sent to each new peer before any other (J23); null or empty for none. Default null. */
  welcomeMessage?: string | Uint8Array | null | undefined = option(bytes, {
    initial: null,
    live: true,
    numbers: [setAsBinary(72, "XPUB_WELCOME_MSG")],
  });
}

/** Of XSubscriber. */
export class XSubscriberRows {
  /** Send every end of a subscription upstream, not only the last of its topic (J7). Default false. */
  verboseUnsubscribe? = option(boolean, {
    initial: false,
    live: true,
    numbers: [setAsAnyFlag(115, "XSUB_VERBOSE_UNSUBSCRIBE")],
  });
}

/** Of Router. */
export class RouterRows {
  /**
   * Reject a message to an unknown peer with EHOSTUNREACH, and wait for a full one, instead of dropping (I4, I5). Sends
   * keep their order: one that waits for its peer holds back those behind it, except with `trySend` or a timeout. Default
   * false.
   */
  mandatory? = option(boolean, {
    initial: false,
    live: true,
    numbers: [asLenientFlag(33, "ROUTER_MANDATORY")],
  });
  /** See OnFull. null: "wait" with `mandatory`, otherwise "dropNewest" (I5). Default null. */
  onFull? = option(onFull as Rule<OnFull | null>, { initial: null, live: true });
  /**
   * A new peer takes over a routing id that is in use, and the old connection is closed (I9), instead of being ignored
   * (I8). Two live peers of one name then take it from each other each time they connect. Default false.
   */
  handover? = option(boolean, {
    initial: false,
    live: true,
    numbers: [setAsLenientFlag(56, "ROUTER_HANDOVER")],
  });
  /**
   * Receive a message of the peer's name and an empty part when a connection is made (1), lost (2), or both (3), whichever
   * side made it; 0 for neither. Not after unbind(), disconnect() or close(). Default 0.
   */
  routerNotify? = option(whole(0, 3), { initial: 0, numbers: [asInt(97, "ROUTER_NOTIFY")] });
}

/** Of Stream. */
export class StreamRows {
  /** Deliver an empty message when a connection is made or lost (M2). Default true. */
  notify? = option(boolean, { initial: true, live: true, numbers: [setAsFlag(73, "STREAM_NOTIFY")] });
}

/** Of Request. */
export class RequestRows {
  /** Mark requests with an id and ignore replies to others (H9). A request that is given up then keeps its connection. Default false. */
  correlate? = option(boolean, {
    initial: false,
    live: true,
    numbers: [setAsLenientFlag(52, "REQ_CORRELATE")],
  });
  /** Allow a new request before the reply to the last (H8). Default false. */
  relaxed? = option(boolean, { initial: false, live: true, numbers: [setAsLenientFlag(53, "REQ_RELAXED")] });
}
