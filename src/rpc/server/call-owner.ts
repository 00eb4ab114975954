/**
 * What a server does for its calls: joins them with the hooks, the limiter and the way out.
 */
import type { Environment } from "../clock.js";
import type { RequestContext } from "../service/context.js";
import type { Hooks } from "../service/hooks.js";
import type { ServedMethod } from "../service/service.js";
import type { Admission } from "./admission.js";
import type { Channels } from "./channels.js";
import type { Counts } from "./counts.js";
import type { Limiter } from "./limiter.js";
import type { Outbox } from "./outbox.js";
import type { Port } from "./port.js";
import type { ServedCallOwner } from "./served-call.js";

/** What the calls of a server are joined with. */
export interface CallOwnerParts {
  readonly environment: Environment;
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
  const { environment, tracebacks, hooks, admission, channels, limiter, outbox, port, counts } = parts;
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
    later: (resume) => environment.later(resume),
    started: () => {
      counts.calls++;
    },
    streams: (call) => channels.streaming(call),
    parked: (call) => limiter.park(call),
    unparked: (call) => limiter.unpark(call),
    displaced: (call, limit) => admission.full(call, limit),
    closed: (call) => {
      port.unwatch(call.from.routingId, call);
      channels.closed(call);
      limiter.withdraw(call);
    },
    released: (call) => limiter.release(call),
  };
}
