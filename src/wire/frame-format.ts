/**
 * The format of a frame: its flags, its header and its limits (RFC 37 §Framing, items E1 and E2). Every room that reads or
 * writes frames takes them from here.
 */

/** More parts of the same message follow. Never set on a command (E6). */
export const MORE = 0x01;
/** The size has eight bytes. */
export const LONG = 0x02;
/** The frame is a command. */
export const COMMAND = 0x04;

/** The longest body of the short form, whose size has one byte. */
export const SHORT_BODY_MAX = 255;
/** Bytes of a header: the flags, and a size of one byte. */
export const SHORT_HEADER = 2;
/** Bytes of a header: the flags, and a size of eight bytes. */
export const LONG_HEADER = 9;

/** Bytes of the header of a body. */
export function headerSize(bodyBytes: number): number {
  return bodyBytes > SHORT_BODY_MAX ? LONG_HEADER : SHORT_HEADER;
}
