/** Whole handshakes that fail (sections A to E), as handshake.ts has those that succeed. */
import type { HandshakeConfig } from "../../src/wire/zmtp/handshake.js";
import type { ProtocolErrorCode } from "../../src/wire/zmtp/protocol-error.js";
import { frame, greetingWith, identity, ready, socketType } from "./frames.js";
import { OUR_GREETING } from "./greeting.js";
import { octets, text, zeros } from "./octets.js";

const PULL: HandshakeConfig = { socketType: "PULL" };
const REP: HandshakeConfig = { socketType: "REP" };

/** Handshakes that fail. */
export interface BadHandshake {
  readonly title: string;
  readonly config: HandshakeConfig;
  readonly octets: Buffer;
  readonly code: ProtocolErrorCode;
  /** A part of the rule that is named. */
  readonly rule: string;
  readonly zmqCode?: number;
  readonly kind?: "auth";
  /** Offending bytes' count. */
  readonly count?: number;
  /** Whether we answer with ERROR. */
  readonly answered?: boolean;
}

const MISMATCH = { code: "mechanism-mismatch", rule: "B1", zmqCode: 0x11000002 } as const;
const UNEXPECTED = { code: "unexpected-command", rule: "C2", zmqCode: 0x10000001 } as const;
const METADATA = { code: "invalid-metadata", zmqCode: 0x10000018 } as const;
const INCOMPATIBLE = { code: "incompatible-socket-type", rule: "C8", answered: true } as const;
const INVALID_ID = { code: "invalid-routing-id", rule: "C13", answered: true } as const;
const MALFORMED = { code: "malformed-error", rule: "D4", zmqCode: 0x10000015 } as const;

export const BAD_HANDSHAKES: readonly BadHandshake[] = [
  ...["PLAIN", "CURVE", "GSSAPI", "null", "NUL", "NULLX", "NULL\0X", "\0NULL", ""].map((name) => ({
    ...MISMATCH,
    title: `B1 mechanism ${JSON.stringify(name)} is not NULL`,
    config: PULL,
    octets: octets(greetingWith(12, zeros(20)).subarray(0, 12), text(name.padEnd(20, "\0")), zeros(32)),
  })),
  {
    ...MISMATCH,
    title: "B1 the last of the 20 octets counts",
    config: PULL,
    octets: greetingWith(31, "01"),
  },
  {
    ...UNEXPECTED,
    title: "C2 a message instead of READY",
    config: PULL,
    octets: octets(OUR_GREETING, frame(0, text("hello"))),
    count: 5,
  },
  {
    ...UNEXPECTED,
    title: "C2 an empty frame instead of READY",
    config: PULL,
    octets: octets(OUR_GREETING, "00 00"),
  },
  {
    ...UNEXPECTED,
    title: "C2 F13 a PING instead of READY",
    config: PULL,
    octets: octets(OUR_GREETING, frame(4, "04", text("PING"), "0000")),
    count: 7,
  },
  {
    ...UNEXPECTED,
    title: "C2 a command in lower case instead of READY",
    config: PULL,
    octets: octets(OUR_GREETING, frame(4, "05", text("ready"))),
  },
  {
    ...UNEXPECTED,
    title: "C2 PLAIN's HELLO instead of READY",
    config: PULL,
    octets: octets(OUR_GREETING, frame(4, "05", text("HELLO"), "01", text("u"), "01", text("p"))),
  },
  {
    ...UNEXPECTED,
    title: "E12 a command name longer than its body",
    config: PULL,
    octets: octets(OUR_GREETING, frame(4, "06", text("READY"))),
  },
  {
    ...UNEXPECTED,
    title: "E13 a name padded with NULs, as old prose had it",
    config: PULL,
    octets: octets(OUR_GREETING, frame(4, "08", text("READY\0\0\0"), socketType("PUSH"))),
  },
  ...["PUSH\0", "push", "PUSHX", "PUS", "XREQ", "PULL", "SUB", " PUSH", ""].map((type) => ({
    ...INCOMPATIBLE,
    title: `C7 Socket-Type ${JSON.stringify(type)} is refused by PULL`,
    config: PULL,
    octets: octets(OUR_GREETING, ready(socketType(type))),
  })),
  {
    ...INVALID_ID,
    title: "C13 an identity of 256 octets",
    config: REP,
    octets: octets(OUR_GREETING, ready(socketType("REQ"), identity(Buffer.alloc(256, 1)))),
  },
  {
    ...INVALID_ID,
    title: "C13 a bad identity of a peer that does not say its type",
    config: REP,
    octets: octets(OUR_GREETING, ready(identity(Buffer.alloc(256, 1)))),
  },
  {
    ...METADATA,
    title: "C18 truncated properties",
    config: PULL,
    octets: octets(OUR_GREETING, ready(socketType("PUSH"), "05", text("X-"))),
    rule: "C18",
    count: 23,
  },
  {
    ...METADATA,
    title: "C19 a property without a name",
    config: PULL,
    octets: octets(OUR_GREETING, ready("00 00000000")),
    rule: "C19",
    count: 5,
  },
  {
    ...METADATA,
    title: "C20 a value of 2^32-1 octets",
    config: PULL,
    octets: octets(OUR_GREETING, ready("01", text("a"), "ffffffff")),
    rule: "C20",
    count: 0xffffffff,
  },
  ...["300", "400", "500"].map((status) => ({
    title: `D3 ERROR ${status} is a refusal by the authenticator`,
    config: PULL,
    octets: octets(OUR_GREETING, frame(4, "05", text("ERROR"), "03", text(status))),
    code: "authentication-refused" as const,
    rule: "D3",
    kind: "auth" as const,
    zmqCode: Number(status),
  })),
  ...["", "3000", "200", "300 ", "go away"].map((reason) => ({
    title: `D2 ERROR ${JSON.stringify(reason)} ends the handshake`,
    config: PULL,
    octets: octets(OUR_GREETING, frame(4, "05", text("ERROR"), Buffer.from([reason.length]), text(reason))),
    code: "peer-error" as const,
    rule: "D2",
  })),
  {
    ...MALFORMED,
    title: "D4 ERROR whose reason overruns the frame",
    config: PULL,
    octets: octets(OUR_GREETING, frame(4, "05", text("ERROR"), "04", text("abc"))),
    count: 4,
  },
  {
    ...MALFORMED,
    title: "D4 ERROR without a reason length",
    config: PULL,
    octets: octets(OUR_GREETING, frame(4, "05", text("ERROR"))),
    count: 0,
  },
  {
    title: "E4 a size with bit 63 set",
    config: PULL,
    octets: octets(OUR_GREETING, "06 8000000000000000"),
    code: "handshake-too-large",
    rule: "E4",
    count: 2 ** 63,
  },
  {
    title: "E15 a READY one octet above the limit, by its header alone",
    config: { socketType: "PULL", maxHandshakeBytes: 300 },
    octets: octets(OUR_GREETING, "06 000000000000012d"),
    code: "handshake-too-large",
    rule: "E15",
    count: 301,
  },
  {
    title: "E15 the limit holds for the short form too",
    config: { socketType: "PULL", maxHandshakeBytes: 20 },
    octets: octets(OUR_GREETING, "04 15"),
    code: "handshake-too-large",
    rule: "E15",
    count: 21,
  },
];
