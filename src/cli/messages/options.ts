/**
 * Rows that the commands of messages share.
 */
import { integer, type OptionRows, oneOf, path, text } from "../options.js";
import { FORMATS } from "./formats.js";

const MAX_MS = 2 ** 31 - 1;

/** A time in milliseconds. */
export const milliseconds = integer(0, MAX_MS, "MS");

/** Of all that print or read messages. */
export const LOOK = {
  format: {
    kind: oneOf(...FORMATS),
    short: "f",
    initial: "text",
    help: "how messages are read and printed: a line each of text, JSON or hexadecimal digits; a file each of raw bytes; frames behind their lengths; msgpack as lines of JSON",
  },
  separator: {
    kind: text(),
    help: "text: what stands between the parts of a message, in what is printed (a tab by default) and in what is read",
  },
} as const satisfies OptionRows;

/** Of all that wait. */
export const WAITING = {
  timeout: {
    kind: milliseconds,
    short: "t",
    help: "how long to wait for a peer, for room or for each message, in milliseconds, before it ends with code 3",
  },
} as const satisfies OptionRows;

/** Of all that send. */
export const SENDING = {
  file: {
    kind: path(),
    many: true,
    help: "send what is in the file; - is standard input, which is also read if neither a file nor arguments are given",
  },
  interval: { kind: milliseconds, short: "i", help: "wait so many milliseconds between two messages" },
  "wait-peers": {
    kind: integer(0),
    initial: 0,
    help: "send only when so many peers are there; of a publisher, when they have subscribed",
  },
} as const satisfies OptionRows;

/** Of all that receive. */
export const RECEIVING = {
  quiet: { short: "q", help: "print nothing of what is received, and no progress" },
} as const satisfies OptionRows;

/** Of all that answer. */
export const ANSWERING = {
  echo: { help: "answer each message with itself" },
  reply: { kind: text(), many: true, help: "answer each message with this; repeated, with these parts" },
  exec: {
    kind: text("COMMAND"),
    help: "answer each message with what the command prints, which the shell runs with the message as its input: in the format text its bytes, with the separator (a tab) between parts; in another as it is printed",
  },
} as const satisfies OptionRows;
