/**
 * The format of a frame: its flags, its header and its limits (RFC 37 §Framing, items E1 and E2). Every room that reads or
 * writes frames takes them from here.
 *
 * A hot file gives them names of its own (`const { MORE } = frameFormat`): V8 compiles a module's own constants in, but
 * reads an imported one anew at each use. That cost the encoder a tenth and the decoder a fifth.
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

/** Numbers for each frame in a table of frames: where its body begins in the chunk, its length, and its flags. */
export const FRAME_ENTRY_SIZE = 3;

/** Bytes of the header of a body. */
export function headerSize(bodyBytes: number): number {
  return bodyBytes > SHORT_BODY_MAX ? LONG_HEADER : SHORT_HEADER;
}
/** A frame without a body, behind which its message goes on. */
export const EMPTY_FRONT: Uint8Array = Uint8Array.of(MORE, 0);
