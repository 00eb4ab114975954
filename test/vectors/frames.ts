/** Frames, commands and greetings of handshakes, made of what they consist of and not by the code under test. */
import { OUR_GREETING } from "./greeting.js";
import { octets, text, zeros } from "./octets.js";

/** `0b "Socket-Type" 00 00 00 nn type`. */
export function socketType(type: string): Buffer {
  return octets("0b", text("Socket-Type"), "000000", Buffer.from([type.length]), text(type));
}

/** `08 "Identity" length identity`. */
export function identity(value: Buffer): Buffer {
  const length = zeros(4);
  length.writeUInt32BE(value.length);
  return octets("08", text("Identity"), length, value);
}

/** A frame in short form where the body allows it. */
export function frame(flags: number, ...pieces: (string | Buffer)[]): Buffer {
  const body = octets(...pieces);
  if (body.length < 256) return octets(Buffer.from([flags, body.length]), body);
  return longFrame(flags, body);
}

/** A frame in long form, whatever its size. */
export function longFrame(flags: number, body: Buffer): Buffer {
  const size = zeros(8);
  size.writeUInt32BE(body.length, 4);
  return octets(Buffer.from([flags | 2]), size, body);
}

/** A READY command with these properties. */
export function ready(...properties: (string | Buffer)[]): Buffer {
  return frame(4, "05", text("READY"), ...properties);
}

/** A greeting with one field changed. */
export function greetingWith(at: number, ...values: (string | Buffer)[]): Buffer {
  const changed = Buffer.from(OUR_GREETING);
  changed.set(octets(...values), at);
  return changed;
}
