/** Greetings (sections A and B of the conformance list): whole bytes and what becomes of them. */
import type { Greeting } from "../../src/wire/zmtp/greeting.js";
import type { ProtocolErrorCode } from "../../src/wire/zmtp/protocol-error.js";
import { octets, text, zeros } from "./octets.js";

/** Our own: signature, 3.1, NULL in 20 bytes, not a server, 31 zero bytes of filler (A6). */
export const OUR_GREETING = octets("ff 0000000000000000 7f 03 01", text("NULL"), zeros(16), "00", zeros(31));

/** As libzmq 4.3.5 sent it for a REQ whose routing id has eight bytes: the padding holds nine (A2). */
export const LIBZMQ_GREETING = octets(
  "ff 0000000000000009 7f 03 01 4e554c4c 00000000000000000000000000000000 00",
  "00000000000000000000000000000000000000000000000000000000000000",
);

/** A greeting that is accepted as one; whether its mechanism is ours is another matter. */
export interface GoodGreeting {
  readonly title: string;
  readonly octets: Buffer;
  readonly greeting: Greeting;
}

const PLAIN_31: Greeting = { major: 3, minor: 1, mechanism: "NULL", asServer: false };

export const GOOD_GREETINGS: readonly GoodGreeting[] = [
  { title: "A6 our own greeting is understood", octets: OUR_GREETING, greeting: PLAIN_31 },
  { title: "A2 libzmq's padding with an identity's length", octets: LIBZMQ_GREETING, greeting: PLAIN_31 },
  {
    title: "A3 arbitrary padding, and only bit 0 of octet 10 matters",
    octets: octets("ff deadbeefcafe0102 01 03 01", text("NULL"), zeros(16), "00", zeros(31)),
    greeting: PLAIN_31,
  },
  {
    title: "A3 octet 10 with every bit set",
    octets: octets("ff ffffffffffffffff ff 03 01", text("NULL"), zeros(16), "00", zeros(31)),
    greeting: PLAIN_31,
  },
  {
    title: "A7 a 3.0 peer",
    octets: octets("ff 0000000000000000 7f 03 00", text("NULL"), zeros(16), "00", zeros(31)),
    greeting: { ...PLAIN_31, minor: 0 },
  },
  {
    title: "A8 a 3.2 peer",
    octets: octets("ff 0000000000000000 7f 03 02", text("NULL"), zeros(16), "00", zeros(31)),
    greeting: { ...PLAIN_31, minor: 2 },
  },
  {
    title: "A8 a 4.0 peer",
    octets: octets("ff 0000000000000000 7f 04 00", text("NULL"), zeros(16), "00", zeros(31)),
    greeting: { ...PLAIN_31, major: 4, minor: 0 },
  },
  {
    title: "A8 a 255.255 peer",
    octets: octets("ff 0000000000000000 7f ff ff", text("NULL"), zeros(16), "00", zeros(31)),
    greeting: { ...PLAIN_31, major: 255, minor: 255 },
  },
  {
    title: "A24 filler that is not zero",
    octets: octets("ff 0000000000000000 7f 03 01", text("NULL"), zeros(16), "00", Buffer.alloc(31, 0xa5)),
    greeting: PLAIN_31,
  },
  {
    title: "B4 an as-server octet of 1",
    octets: octets("ff 0000000000000000 7f 03 01", text("PLAIN"), zeros(15), "01", zeros(31)),
    greeting: { ...PLAIN_31, mechanism: "PLAIN", asServer: true },
  },
  {
    title: "B9 a mechanism of 20 octets",
    octets: octets("ff 0000000000000000 7f 03 01", text("ABCDEFGHIJKLMNOPQRST"), "00", zeros(31)),
    greeting: { ...PLAIN_31, mechanism: "ABCDEFGHIJKLMNOPQRST" },
  },
];

/** A peer that is refused at byte `after`, before anything else is awaited. */
export interface BadGreeting {
  readonly title: string;
  readonly octets: Buffer;
  readonly code: ProtocolErrorCode;
  readonly rule: string;
  /** How many bytes give it away. */
  readonly after: number;
}

export const BAD_GREETINGS: readonly BadGreeting[] = [
  {
    title: "A12 ZMTP 1.0 with an anonymous identity",
    octets: octets("01 00"),
    code: "not-zmtp",
    rule: "A12",
    after: 1,
  },
  {
    title: "A12 ZMTP 1.0 with a short identity",
    octets: octets("06 00", text("hello")),
    code: "not-zmtp",
    rule: "A12",
    after: 1,
  },
  {
    title: "A21 an HTTP request",
    octets: text("GET / HTTP/1.1\r\n"),
    code: "not-zmtp",
    rule: "A12",
    after: 1,
  },
  { title: "A21 a TLS hello", octets: octets("16 03 01 02 00 01"), code: "not-zmtp", rule: "A12", after: 1 },
  {
    title: "A13 ZMTP 1.0 with a long identity: an even tenth octet",
    octets: octets("ff 0000000000000100 00", text("identity")),
    code: "version-too-old",
    rule: "A13",
    after: 10,
  },
  {
    title: "A13 an even tenth octet with all other bits set",
    octets: octets("ff 0000000000000000 fe 03 01", text("NULL")),
    code: "version-too-old",
    rule: "A13",
    after: 10,
  },
  {
    title: "A11 revision 0",
    octets: octets("ff 0000000000000001 7f 00 05"),
    code: "version-too-old",
    rule: "A11",
    after: 11,
  },
  {
    title: "A9 major 2 is taken for older than 3.0",
    octets: octets("ff 0000000000000001 7f 02 00", text("NULL")),
    code: "version-too-old",
    rule: "A9",
    after: 11,
  },
];
