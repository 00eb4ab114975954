/** Properties (items C4, C15 to C21): the body of a READY behind its name. */
import { octets, text, zeros } from "./octets.js";

/** Properties that are understood, in order. */
export interface GoodMetadata {
  readonly title: string;
  readonly octets: Buffer;
  readonly properties: readonly (readonly [string, Buffer])[];
}

export const GOOD_METADATA: readonly GoodMetadata[] = [
  { title: "C6 no properties at all", octets: octets(), properties: [] },
  {
    title: "C4 one property: length, name, length in four octets, value",
    octets: octets("0b", text("Socket-Type"), "00000004", text("PUSH")),
    properties: [["Socket-Type", text("PUSH")]],
  },
  {
    title: "C4 a value of no octets",
    octets: octets("08", text("Identity"), "00000000"),
    properties: [["Identity", zeros(0)]],
  },
  {
    title: "C15 unknown properties are kept, names as received",
    octets: octets("08", text("X-Colour"), "00000002", "00ff", "01", text("q"), "00000001", "01"),
    properties: [
      ["X-Colour", octets("00ff")],
      ["q", octets("01")],
    ],
  },
  {
    title: "C21 a Resource is accepted whatever it says",
    octets: octets("08", text("Resource"), "00000006", text("/no/su")),
    properties: [["Resource", text("/no/su")]],
  },
  {
    title: "C4 a name of 255 octets",
    octets: octets("ff", text("n".repeat(255)), "00000001", "2a"),
    properties: [["n".repeat(255), octets("2a")]],
  },
  {
    title: "C4 a value of 300 octets",
    octets: octets("01", text("v"), "0000012c", Buffer.alloc(300, 7)),
    properties: [["v", Buffer.alloc(300, 7)]],
  },
];

/** Properties that are refused. */
export interface BadMetadata {
  readonly title: string;
  readonly octets: Buffer;
  readonly rule: string;
}

export const BAD_METADATA: readonly BadMetadata[] = [
  { title: "C18 a name that is cut short", octets: octets("0b", text("Socket")), rule: "C18" },
  { title: "C18 a name without a value", octets: octets("0b", text("Socket-Type")), rule: "C18" },
  {
    title: "C18 a value length of three octets",
    octets: octets("0b", text("Socket-Type"), "000000"),
    rule: "C18",
  },
  {
    title: "C18 a stray octet behind a good property",
    octets: octets("01", text("a"), "00000001", text("b"), "05"),
    rule: "C18",
  },
  { title: "C19 a property without a name", octets: octets("00 00000001", text("x")), rule: "C19" },
  { title: "C19 one zero octet", octets: octets("00"), rule: "C19" },
  {
    title: "C20 a value that is one octet short",
    octets: octets("01", text("a"), "00000003", text("bc")),
    rule: "C20",
  },
  {
    title: "C20 a value of 2^31-1 octets",
    octets: octets("01", text("a"), "7fffffff", text("b")),
    rule: "C20",
  },
  {
    title: "C20 a value of 2^31 octets",
    octets: octets("01", text("a"), "80000000", text("b")),
    rule: "C20",
  },
  {
    title: "C20 a value of 2^32-1 octets",
    octets: octets("01", text("a"), "ffffffff", text("b")),
    rule: "C20",
  },
];
