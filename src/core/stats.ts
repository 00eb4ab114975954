/** Counters and queue depths of a socket. Counters run from its creation. */
export interface SocketStats {
  /** Sends that wait for room. */
  sendQueue: number;
  /** Messages queued for peers and not yet taken by the kernel. */
  outboundQueue: number;
  /** Messages received and not yet read. */
  receiveQueue: number;
  /** Receives that wait for a message. */
  waitingReceives: number;
  /** Messages that a peer's queue, or a publisher's routing, has accepted. */
  messagesSent: number;
  /** Messages given to the application. */
  messagesReceived: number;
  /**
   * Messages, or copies of one, that were dropped because a peer was full; also those of a Router for a peer that it does
   * not know, of a Reply for a requester that has left, and what `maxResends` has given up.
   */
  dropped: number;
  /** What queues hold, in bytes: received and not read. Each part counts 112 more. */
  receivedBytes: number;
  /** What queues hold, in bytes: accepted and not sent, as far as the kernel did not take it at once. */
  unsentBytes: number;
  /** Connections with a complete handshake. */
  peers: number;
}
