import type { Peer } from "../base/events.js";
import type { Budget } from "../engine/budget.js";
import type { Lending, Pipe } from "../engine/pipe.js";
import type { WaitingReceives } from "../engine/waiting-receives.js";
import type { Strategy } from "../patterns/strategy.js";
import type { Lost } from "../session/host.js";
import type { Sender } from "./sender.js";

/** Counters and queue depths of a socket. Counters run from its creation. */
export interface SocketStats {
  /** Number of sends that wait for room. */
  sendQueue: number;
  /** Messages queued for peers and not yet taken by the kernel. */
  outboundQueue: number;
  /** Messages received and not yet read. */
  receiveQueue: number;
  /** Number of receives that wait for a message. */
  waitingReceives: number;
  /** Messages that a peer's queue, or a publisher's routing, has accepted. */
  messagesSent: number;
  /** Messages given to the application. */
  messagesReceived: number;
  /**
   * Messages, or copies of one, that were dropped because a peer was full. Includes messages of a Router to unknown peers,
   * of a Reply to requesters that have left, and messages given up because of `maxResends`. Over udp, it also includes datagrams that
   * came while the queue was full or that were no messages, and those that the system refused to send.
   */
  dropped: number;
  /** Messages, or copies of one, whose place in a queue a newer one has taken: `conflate`, `conflatePerTopic`. */
  conflated: number;
  /**
   * Received messages that nobody had read when the socket was closed, or their endpoint disconnected. The event "drop" tells.
   * What an XPublisher has not read does not count: subscriptions need no reader.
   */
  droppedUnread: number;
  /**
   * Accepted messages that were thrown away unsent: when `linger` or the time of a drain was over, or with the connection
   * whose queue they were in. The event "drop" tells.
   */
  droppedUnsent: number;
  /** Topics whose last message is kept for newcomers: `lastValue`. */
  lastValues: number;
  /** Last messages that were dropped because of `lastValueTopics` or `lastValueBytes`. */
  lastValuesEvicted: number;
  /** Bytes of received messages that have not been read. Each part counts 112 bytes more. */
  receivedBytes: number;
  /** Bytes of accepted messages that have not been sent. Messages that the kernel took at once are not counted. */
  unsentBytes: number;
  /** Number of connections with a complete handshake. */
  peers: number;
  /** Number of ipc connections whose messages to the peer go through shared memory. */
  sharedMemory: number;
  /** Bytes of loans that are not back: with the program, in queues, or with peers. Rounded up to whole pages and more. */
  loanedBytes: number;
  /** Loans for which `maxLoanedBytes` left no room, or the system had none: ordinary memory, which is copied. */
  loansCopied: number;
  /** Bytes of peers' memory in messages that the program has borrowed, or that wait for it. */
  borrowedBytes: number;
}

/** A loan that is out. */
export interface LoanHolding {
  /** Who has it: this program, which has not sent it, or a peer, which has not given it back. */
  readonly holder: "program" | Peer;
  readonly bytes: number;
  /** How long. */
  readonly milliseconds: number;
}

/** What is counted of a socket. */
export interface Counted {
  readonly pipes: ReadonlySet<Pipe>;
  readonly peers: ReadonlyMap<Pipe, Peer>;
  readonly sender: Sender | null;
  readonly receives: WaitingReceives<unknown> | null;
  readonly strategy: Pick<Strategy, "unread" | "dropped" | "lastValues">;
  readonly received: Budget;
  readonly unsent: Budget;
  readonly lost: Readonly<Lost>;
  readonly runtime: { now(): number };
}

/** Messages received and not yet read. */
export function unreadOf({ pipes, receives, strategy }: Counted): number {
  let unread = strategy.unread + (receives?.returned ?? 0);
  for (const pipe of pipes) if (!pipe.queued) unread += pipe.inboundLength;
  return unread;
}

/** The counters of a socket. */
export function statsOf(core: Counted): SocketStats {
  const { pipes, receives, sender, strategy } = core;
  let outboundQueue = 0;
  let borrowedBytes = 0;
  let sharedMemory = 0;
  for (const pipe of pipes) {
    outboundQueue += pipe.outboundLength;
    for (const { bytes } of pipe.borrowed) borrowedBytes += bytes;
    if (pipe.sharesMemory) sharedMemory++;
  }
  return {
    sendQueue: sender?.queue.length ?? 0,
    outboundQueue,
    receiveQueue: unreadOf(core),
    waitingReceives: receives?.waiting ?? 0,
    messagesSent: sender?.queue.sent ?? 0,
    messagesReceived: receives?.received ?? 0,
    dropped: core.lost.messages + strategy.dropped,
    conflated: core.received.conflated + core.unsent.conflated,
    droppedUnread: core.lost.unread,
    droppedUnsent: core.lost.unsent,
    lastValues: strategy.lastValues.topics,
    lastValuesEvicted: strategy.lastValues.evicted,
    receivedBytes: core.received.held,
    unsentBytes: core.unsent.held,
    peers: core.peers.size,
    loanedBytes: sender?.lent?.loanedBytes ?? 0,
    loansCopied: sender?.lent?.copied ?? 0,
    borrowedBytes,
    sharedMemory,
  };
}

/** The loans of a socket that are out. */
export function loansOf(core: Counted): LoanHolding[] {
  const now = core.runtime.now();
  const held = (holder: LoanHolding["holder"], { bytes, since }: Lending): LoanHolding => ({
    holder,
    bytes,
    milliseconds: now - since,
  });
  const unsent = [...(core.sender?.lent?.given() ?? [])].map((loan) => held("program", loan));
  const sent = [...core.pipes].flatMap((pipe) => [...pipe.lent].map((loan) => held(pipe.peer as Peer, loan)));
  return [...unsent, ...sent];
}
