/**
 * Limits of the frames of a connection, and the error for a frame that exceeds one.
 */
import { CARRIED_BYTES } from "../base/carried.js";
import type { OptionValues } from "../options/options.js";
import { FrameFault, type FrameLimits } from "../transport/contract/transport.js";
import { ProtocolError } from "../wire/zmtp/protocol-error.js";

/** Largest frame that zwire can hold. */
const FRAME_CEILING = 2 ** 31 - 1;
/** Most bytes of one command after the handshake, on sockets that receive no subscriptions. */
const COMMAND_CEILING = 1024 * 1024;

const FAULTS: Record<number, [code: ProtocolError["code"], rule: string, text: string]> = {
  [FrameFault.frameTooLarge]: ["frame-too-large", "E4, E15", "a part is larger than maxMessageSize"],
  [FrameFault.commandTooLarge]: ["command-too-large", "E4", "a command is too large"],
  [FrameFault.tooManyParts]: ["too-many-parts", "E4", "a message has more parts than maxMessageParts"],
  [FrameFault.memory]: [
    "shared-memory",
    "docs/shared-memory.md",
    "the peer broke the rules of shared memory",
  ],
  [FrameFault.messageTooLarge]: ["message-too-large", "E4", "a message is larger than maxMultipartSize"],
};

/**
 * @param topics whether commands may carry topics of any size: topics have limits of their own, checked on arrival
 * @param carries whether a part with a context is in front of each message; it does not count
 */
export function frameLimits(options: OptionValues, topics: boolean, carries = false): FrameLimits {
  const more = carries ? CARRIED_BYTES : 0;
  const frame = limit(options.maxMessageSize);
  return {
    maxFrameBytes: frame,
    maxCommandBytes: topics ? frame : Math.min(frame, COMMAND_CEILING),
    maxParts: options.maxMessageParts + (carries ? 1 : 0),
    maxMessageBytes: Math.min(limit(options.maxMultipartSize) + more, FRAME_CEILING),
  };
}

function limit(size: number): number {
  return size === -1 ? FRAME_CEILING : Math.min(size, FRAME_CEILING);
}

/** The error for what a decoder refused. @param size the size, or the number of parts, that was too large */
export function frameFault(fault: FrameFault, size: number): ProtocolError {
  const [code, rule, text] = FAULTS[fault];
  const detail = fault === FrameFault.memory ? text : `${text}: ${size}`;
  return new ProtocolError(code, detail, { rule, size });
}
