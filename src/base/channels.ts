/**
 * The diagnostics channels of messages: libraries that watch a process subscribe to them by name (node:diagnostics_channel).
 * While nobody does, a message costs one look at a field.
 */
import { channel } from "./platform.js";

/** A message was accepted by the queue of a peer, or by the routing of a publisher. */
export const SENDS = channel("zwire:message:send");
/** A message goes to the application. */
export const RECEIVES = channel("zwire:message:receive");

/**
 * Publishes a message by its size, without its bytes.
 * @param socket null for one that nobody may watch
 */
export function publishMessage(on: typeof SENDS, socket: object | null, message: unknown): void {
  if (socket === null) return;
  let parts = 0;
  let bytes = 0;
  for (const part of message instanceof Uint8Array ? [message] : (message as unknown[])) {
    // The draft types give an object beside the part, with its group or its peer.
    if (!(part instanceof Uint8Array)) continue;
    parts++;
    bytes += part.length;
  }
  on.publish({ socket, parts, bytes });
}
