/**
 * Bits of a frame's flags octet (RFC 37 §Framing, item E1). The transport has its own copy: this folder imports
 * nothing from outside.
 */

/** More parts of the same message follow; never set on a command (E6). */
export const MORE = 0x01;
/** The size field has eight octets. */
export const LONG = 0x02;
/** The frame is a command. */
export const COMMAND = 0x04;
