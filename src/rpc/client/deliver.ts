/**
 * What a received event means for its call (§6).
 */
import { describe, errorOf } from "../answers.js";
import type { Channel } from "../channel.js";
import { MalformedAnswer } from "../errors.js";
import { CANCEL, ERR, HEARTBEAT, MORE, OK, type RpcEvent, STREAM, STREAM_DONE } from "../wire/event.js";
import type { Call } from "./call.js";

/** What the client has to do. */
export interface Delivery {
  /** Answers a heartbeat. */
  heartbeat(call: Call): void;
  /** The server has given the call up. */
  lost(call: Call, why: string): void;
  /** An ERR came. */
  failed(call: Call, error: Error): void;
}

/** Gives an event to its call. */
export function deliver(call: Call, event: RpcEvent, now: number, to: Delivery): void {
  const channel = call.channel as Channel;
  const { name } = event;
  if (name === HEARTBEAT) {
    if (channel.heartbeat(now)) to.heartbeat(call);
  } else if (name === MORE) channel.grant(event.args, now);
  else if (name === CANCEL) to.lost(call, "the server has given the call up");
  else if (name === OK || name === ERR || name === STREAM || name === STREAM_DONE) {
    if (event.fault === null) deliverAnswer(call, channel, event, now, to);
    else
      call.fail(
        malformed(call, `an answer that cannot be decoded: ${event.fault.message}`, event.fault),
        true,
      );
  } else {
    channel.touched(now);
    const extension = typeof name === "string" && name.startsWith("_zpc_"); // T34
    if (!extension) call.fail(malformed(call, `the event ${describe(name)}`), true);
  }
}

function deliverAnswer(call: Call, channel: Channel, event: RpcEvent, now: number, to: Delivery): void {
  const { name, args } = event;
  if (name === STREAM) {
    if (channel.arrived(now)) call.item(args);
    else call.fail(malformed(call, "more than it was granted"), true);
    return;
  }
  channel.touched(now);
  if (name === STREAM_DONE)
    call.done(); // T23: whatever its args
  else if (name === ERR) to.failed(call, errorOf(event, call.method));
  else if (Array.isArray(args))
    call.value(args.length === 0 ? null : args[0]); // T22
  else call.fail(malformed(call, "a value that is in no array"), false);
}

function malformed(call: Call, what: string, cause?: Error): MalformedAnswer {
  return new MalformedAnswer(
    `the server answered ${call.method} with ${what}`,
    call.method,
    cause && { cause },
  );
}
