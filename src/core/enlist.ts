/** Puts new sockets on the list for those who look in from outside. "zwire/web" has another module in place of this one. */
import { isOpeningWatched, type Listed, list, listing, type Seen } from "./roster.js";

/** Puts a new socket on the list. Null: it is one that a monitor opens for itself. */
export function enlist(core: Seen, socket: object): Listed | null {
  if (!listing()) return null;
  const listed = list(core);
  if (core.sender !== null) core.sender.queue.owner = socket;
  if (core.receives !== null) core.receives.owner = socket;
  // Later, because the constructor of its class has not ended.
  if (isOpeningWatched()) core.runtime.nextTick(() => listed.announce(socket));
  return listed;
}
