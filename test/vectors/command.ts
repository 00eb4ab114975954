/** Command frames (sections D, E and F): what we must send, byte for byte, and bodies as they may come. */
import {
  encodeCancel,
  encodeCancelMessage,
  encodeCommand,
  encodeError,
  encodePing,
  encodePong,
  encodeSubscribe,
  encodeSubscribeMessage,
} from "../../src/wire/zmtp/command.js";
import { octets, text, zeros } from "./octets.js";

/** A frame that we make, and its bytes on the wire. */
export interface EncodedFrame {
  readonly title: string;
  readonly encode: () => Buffer;
  readonly octets: Buffer;
}

const NONE = zeros(0);

export const ENCODED_FRAMES: readonly EncodedFrame[] = [
  {
    title: "A7 a subscription in message form is 01 and the topic",
    encode: () => encodeSubscribeMessage(text("topic")),
    octets: octets("00 06 01", text("topic")),
  },
  {
    title: "A7 a cancellation in message form is 00 and the topic",
    encode: () => encodeCancelMessage(text("topic")),
    octets: octets("00 06 00", text("topic")),
  },
  {
    title: "A7 a subscription to everything in message form",
    encode: () => encodeSubscribeMessage(NONE),
    octets: octets("00 01 01"),
  },
  {
    title: "E2 a message-form subscription of 256 octets takes the long form",
    encode: () => encodeSubscribeMessage(text("t".repeat(255))),
    octets: octets("02 0000000000000100 01", text("t".repeat(255))),
  },
  {
    title: "D1 ERROR with a reason",
    encode: () => encodeError("no such type"),
    octets: octets("04 13 05", text("ERROR"), "0c", text("no such type")),
  },
  {
    title: "D1 ERROR without a reason",
    encode: () => encodeError(""),
    octets: octets("04 07 05", text("ERROR"), "00"),
  },
  {
    title: "D1 a reason is cut to 255 octets",
    encode: () => encodeError("r".repeat(300)),
    octets: octets("06 0000000000000106 05", text("ERROR"), "ff", text("r".repeat(255))),
  },
  {
    title: "D1 a reason has printable octets only",
    encode: () => encodeError("a\0b\nc\x7fd\u20ace"),
    octets: octets("04 10 05", text("ERROR"), "09", text("a?b?c?d?e")),
  },
  {
    title: "E2 a command body of 255 octets takes the short form",
    encode: () => encodeCommand("NAME", Buffer.alloc(250, 1)),
    octets: octets("04 ff 04", text("NAME"), Buffer.alloc(250, 1)),
  },
  {
    title: "E2 a command body of 256 octets takes the long form",
    encode: () => encodeCommand("NAME", Buffer.alloc(251, 1)),
    octets: octets("06 0000000000000100 04", text("NAME"), Buffer.alloc(251, 1)),
  },
  {
    title: "E13 a name is length-prefixed ASCII, without NUL or padding",
    encode: () => encodeCommand("X", NONE),
    octets: octets("04 02 01", text("X")),
  },
  {
    title: "F1 SUBSCRIBE",
    encode: () => encodeSubscribe(text("topic")),
    octets: octets("04 0f 09 535542534352494245 746f706963"), // as libzmq 4.3.5 sends it
  },
  {
    title: "F1 SUBSCRIBE to everything",
    encode: () => encodeSubscribe(NONE),
    octets: octets("04 0a 09", text("SUBSCRIBE")),
  },
  {
    title: "F1 SUBSCRIBE with a topic of 245 octets takes the short form",
    encode: () => encodeSubscribe(text("t".repeat(245))),
    octets: octets("04 ff 09", text("SUBSCRIBE"), text("t".repeat(245))),
  },
  {
    title: "F1 SUBSCRIBE with a topic of 246 octets takes the long form",
    encode: () => encodeSubscribe(text("t".repeat(246))),
    octets: octets("06 0000000000000100 09", text("SUBSCRIBE"), text("t".repeat(246))),
  },
  {
    title: "F2 CANCEL",
    encode: () => encodeCancel(text("topic")),
    octets: octets("04 0c 06 43414e43454c 746f706963"), // as libzmq 4.3.5 sends it
  },
  {
    title: "F2 CANCEL with a topic of 249 octets takes the long form",
    encode: () => encodeCancel(text("t".repeat(249))),
    octets: octets("06 0000000000000100 06", text("CANCEL"), text("t".repeat(249))),
  },
  {
    title: "F6 PING with a TTL of 5 s and no context",
    encode: () => encodePing(50, NONE),
    octets: octets("04 07 04 50494e47 0032"), // as libzmq 4.3.5 sends it
  },
  {
    title: "F6 PING with a context of 16 octets and a big-endian TTL",
    encode: () => encodePing(0x0102, text("0123456789abcdef")),
    octets: octets("04 17 04", text("PING"), "0102", text("0123456789abcdef")),
  },
  {
    title: "F7 PONG with the context",
    encode: () => encodePong(text("ctx")),
    octets: octets("04 08 04", text("PONG"), text("ctx")),
  },
];

/** A command body as received; `name` undefined where it is no command. */
export interface CommandBody {
  readonly title: string;
  readonly octets: Buffer;
  readonly name: string | undefined;
  readonly data?: Buffer;
}

export const COMMAND_BODIES: readonly CommandBody[] = [
  { title: "E13 a name and data", octets: octets("01", text("Xdata")), name: "X", data: text("data") },
  { title: "E13 a name and no data", octets: octets("04", text("PONG")), name: "PONG", data: NONE },
  {
    title: "E13 a name of 255 octets",
    octets: octets("ff", text("N".repeat(255)), "00"),
    name: "N".repeat(255),
    data: octets("00"),
  },
  { title: "E12 an empty body", octets: NONE, name: undefined },
  { title: "E12 a name of no octets", octets: octets("00", text("x")), name: undefined },
  { title: "E12 a name length and nothing more", octets: octets("04"), name: undefined },
  { title: "E12 a name one octet short", octets: octets("05", text("READ")), name: undefined },
  { title: "E12 a name length of 255 in a short body", octets: octets("ff", text("READY")), name: undefined },
];

/** What follows PING's name; `ttlMs` undefined where it is refused. */
export interface PingData {
  readonly title: string;
  readonly octets: Buffer;
  readonly ttlMs: number | undefined;
  readonly context?: Buffer;
}

export const PING_DATA: readonly PingData[] = [
  { title: "F6 a TTL in tenths of a second", octets: octets("0032"), ttlMs: 5000, context: NONE },
  { title: "F6 the largest TTL", octets: octets("ffff"), ttlMs: 6_553_500, context: NONE },
  { title: "F6 a context", octets: octets("0000", text("c")), ttlMs: 0, context: text("c") },
  {
    title: "F7 a context of 16 octets is kept whole",
    octets: octets("0000", text("0123456789abcdef")),
    ttlMs: 0,
    context: text("0123456789abcdef"),
  },
  {
    title: "F7 a context of 17 octets is cut to 16",
    octets: octets("0000", text("0123456789abcdefg")),
    ttlMs: 0,
    context: text("0123456789abcdef"),
  },
  { title: "F8 no TTL", octets: NONE, ttlMs: undefined },
  { title: "F8 half a TTL", octets: octets("00"), ttlMs: undefined },
];
