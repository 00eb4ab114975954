/**
 * Encoded messages with a part in front that not all peers get (base/carried.ts): takes it off, or puts an empty one there.
 */
import { EMPTY_FRONT, LONG, LONG_HEADER, SHORT_HEADER } from "../../wire/frame-format.js";
import { readLength } from "../frame-header.js";
import { MessageReader } from "./message-reader.js";

/**
 * @param segments whole messages, all of whose memory is there
 * @param wanted whether each is to have an empty part in front that it has not; otherwise its first part is left out
 */
export function refronted(
  segments: readonly Uint8Array[],
  lengths: readonly number[],
  wanted: boolean,
): Uint8Array[] {
  const reader = new MessageReader(segments, lengths);
  const result: Uint8Array[] = [];
  while (reader.next()) {
    const [first, ...others] = reader.segments();
    if (wanted) result.push(EMPTY_FRONT, first, ...others);
    else {
      // The part was small, so it was copied: it lies in one segment.
      const rest = first.subarray(frameSize(first));
      if (rest.length > 0) result.push(rest);
      result.push(...others);
    }
  }
  return result;
}

/** Bytes of the frame that begins here. */
function frameSize(bytes: Uint8Array): number {
  return (bytes[0] & LONG) !== 0 ? LONG_HEADER + readLength(bytes, 1) : SHORT_HEADER + bytes[1];
}
