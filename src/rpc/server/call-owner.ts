/**
 * What a server does for its calls: joins them with the hooks, the limiter and the way out.
 */
import type { World } from "../clock.js";
import type { Admission } from "./admission.js";
import type { Channels } from "./channels.js";
import type { RequestContext } from "./context.js";
import type { Counts } from "./counts.js";
import type { Hooks } from "./hooks.js";
import type { Limiter } from "./limiter.js";
import type { Outbox } from "./outbox.js";
import type { Port } from "./port.js";
import type { ServedCallOwner } from "./served-call.js";
import type { ServedMethod } from "./service.js";

/** What the calls of a server are joined with. */
export interface CallOwnerParts {
  readonly world: World;
  readonly tracebacks: boolean;
  readonly hooks: Hooks;
  readonly admission: Admission;
  readonly channels: Channels;
  readonly limiter: Limiter;
  readonly outbox: Outbox;
  readonly port: Port;
  readonly counts: Counts;
}

export function callOwner(parts: CallOwnerParts): ServedCallOwner {
  const { world, tracebacks, hooks, admission, channels, limiter, outbox, port, counts } = parts;
  return {
    tracebacks,
    execute: (call) => hooks.execute(call.context as RequestContext, call.served as ServedMethod),
    after: hooks.any ? (call, result) => hooks.after(call.context as RequestContext, result) : null,
    inspect: hooks.any ? (call, error) => hooks.inspect(call.context as RequestContext, error) : null,
    emit: (call, name, args, extension) => outbox.emit(call, name, args, extension),
    clear: (call) => {
      const { routingId } = call.from;
      if (!port.congested(routingId)) return true;
      port.whenClear(routingId, call);
      return false;
    },
    later: (resume) => world.later(resume),
    started: () => {
      counts.calls++;
    },
    streams: (call) => channels.streaming(call),
    parked: (call) => limiter.park(call),
    unparked: (call) => limiter.unpark(call),
    displaced: (call) => admission.busy(call),
    closed: (call) => {
      port.unwatch(call.from.routingId, call);
      channels.closed(call);
      limiter.withdraw(call);
    },
    released: (call) => limiter.release(call),
  };
}
