/** The end of a connection that this side wanted. */

/** The call that ended a connection. */
export type DisconnectReason = "disconnectPeer" | "revokeKey";

/** Ends a connection in place of an error: nothing has failed. The event "disconnect" has its reason. */
export class Dismissal extends Error {
  readonly reason: DisconnectReason;

  constructor(reason: DisconnectReason) {
    super(`ended by ${reason}()`);
    this.reason = reason;
  }
}
