/**
 * The limits that every frame decoder enforces, and why it refuses: the addon, the portable decoder, and CURVE's opener.
 */

/** Limits that a frame decoder enforces before it takes memory. All are inclusive maxima. */
export interface FrameLimits {
  /** Bytes in the body of one message frame (ZMQ_MAXMSGSIZE is per frame, item E15). */
  readonly maxFrameBytes: number;
  /** Bytes in the body of one command frame. */
  readonly maxCommandBytes: number;
  /** Parts in one message. Each part costs memory, however short it is. */
  readonly maxParts: number;
  /** Bytes in all parts of one message together. */
  readonly maxMessageBytes: number;
}

/** Why a frame decoder refused its input. native/codec has the same numbers. */
export const FrameFault = {
  none: 0,
  /** A message frame above `maxFrameBytes`, or a size with bit 63 set (E4, E15). */
  frameTooLarge: 1,
  /** A command frame above `maxCommandBytes`. */
  commandTooLarge: 2,
  /** More parts in one message than `maxParts`. */
  tooManyParts: 3,
  /** Parts of one message add up to more than `maxMessageBytes`. */
  messageTooLarge: 4,
  /** The peer has broken the rules of the memory that both sides share. No decoder's fault: the stream's. */
  memory: 5,
} as const;
export type FrameFault = (typeof FrameFault)[keyof typeof FrameFault];
