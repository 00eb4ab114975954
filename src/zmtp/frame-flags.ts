/** Bits of a frame's flags octet (RFC 37 §Framing, item E1). */
export const MORE = 0x01;
export const LONG = 0x02;
export const COMMAND = 0x04;
