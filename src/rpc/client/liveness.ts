/**
 * When a call is lost although its connection stands (§5.2): silence beyond what the program allows, or a server that
 * answers others and has forgotten this one. Time is handed in.
 */

import type { Channel } from "../channel.js";
import type { Call } from "./call.js";
import type { Link } from "./link.js";

/** What is left to the client. */
export interface Attendant {
  /** Begin a heartbeat on a channel. */
  heartbeat(call: Call): void;
  /** The call is lost. */
  lost(call: Call, why: string): void;
  /** Ask the server for a ping, whose sending and answer are noted in `link.probe`. */
  probe(link: Link): void;
}

/** Intervals that a server has, after it has answered a ping, to say something on a channel that it knows. */
const PATIENCE_INTERVALS = 1.5;

/** Look after one call. @param interval of our own heartbeats */
export function attend(call: Call, now: number, interval: number, to: Attendant): void {
  const channel = call.channel as Channel;
  const due = channel.tick(now);
  if (due === "heartbeat") to.heartbeat(call);
  if (due === "lost") to.lost(call, `nothing was heard for ${Math.round(channel.silence(now))} ms`);
  else if (channel.suspect(now)) doubt(call, channel, now, interval, to);
}

/**
 * The server used to send heartbeats on this channel and has stopped. One that is busy answers nobody; one that has
 * forgotten the call answers others, so it is asked for a ping.
 */
function doubt(call: Call, channel: Channel, now: number, interval: number, to: Attendant): void {
  const link = call.link as Link;
  const { probe } = link;
  if (probe === null || (probe.answered !== null && probe.sent <= channel.lastHeard)) to.probe(link);
  else if (probe.answered !== null) {
    const patience = PATIENCE_INTERVALS * Math.max(interval, channel.peerInterval);
    if (now - probe.answered >= patience) to.lost(call, "the server answers, but has forgotten the call");
  }
}
