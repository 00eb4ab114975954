/**
 * Whole handshakes (sections A to E): everything that the peer sends, and what becomes of it at our socket. Bytes are
 * written out or captured, never made by the code under test.
 */
import type { HandshakeConfig } from "../../src/wire/zmtp/handshake.js";
import type { ProtocolErrorCode } from "../../src/wire/zmtp/protocol-error.js";
import { LIBZMQ_GREETING, OUR_GREETING } from "./greeting.js";
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

/** Handshakes that succeed. */
export interface GoodHandshake {
  readonly title: string;
  readonly config: HandshakeConfig;
  readonly octets: Buffer;
  readonly peer: {
    readonly major?: number;
    readonly minor?: number;
    readonly socketType: string;
    readonly routingId?: Buffer;
    readonly commands?: boolean;
    readonly properties?: readonly (readonly [string, Buffer])[];
  };
}

const PULL: HandshakeConfig = { socketType: "PULL" };
const REP: HandshakeConfig = { socketType: "REP" };
const PUSH_READY = ready(socketType("PUSH"));

const FROM_LIBZMQ: readonly GoodHandshake[] = [
  {
    title: "A1 libzmq 4.3.5 as PUSH, as captured",
    config: PULL,
    octets: octets(
      "ff00000000000000017f03014e554c4c000000000000000000000000000000000000000000000000000000000000000000000000",
      "000000000000000000000000 041a0552454144590b536f636b65742d547970650000000450555348",
    ),
    peer: { socketType: "PUSH" },
  },
  {
    title: "C11 libzmq 4.3.5 as REQ with a routing id, as captured",
    config: { socketType: "ROUTER" },
    octets: octets(
      LIBZMQ_GREETING,
      "042e0552454144590b536f636b65742d5479706500000003524551084964656e7469747900000008636c69656e742d37",
    ),
    peer: { socketType: "REQ", routingId: text("client-7") },
  },
  {
    title: "C11 libzmq 4.3.5 as ROUTER with an empty Identity, as captured",
    config: { socketType: "DEALER" },
    octets: octets(
      LIBZMQ_GREETING,
      "04290552454144590b536f636b65742d5479706500000006524f55544552084964656e7469747900000000",
    ),
    peer: { socketType: "ROUTER" },
  },
];

export const GOOD_HANDSHAKES: readonly GoodHandshake[] = [
  ...FROM_LIBZMQ,
  {
    title: "A7 a 3.0 peer gets no commands",
    config: PULL,
    octets: octets(greetingWith(11, "00"), PUSH_READY),
    peer: { minor: 0, socketType: "PUSH", commands: false },
  },
  {
    title: "A8 a 3.2 peer is talked to in 3.1",
    config: PULL,
    octets: octets(greetingWith(11, "02"), PUSH_READY),
    peer: { minor: 2, socketType: "PUSH" },
  },
  {
    title: "A8 a 4.0 peer is talked to in 3.1",
    config: PULL,
    octets: octets(greetingWith(10, "04 00"), PUSH_READY),
    peer: { major: 4, minor: 0, socketType: "PUSH" },
  },
  {
    title: "B4 the peer's as-server octet is not checked",
    config: PULL,
    octets: octets(greetingWith(32, "01"), PUSH_READY),
    peer: { socketType: "PUSH" },
  },
  {
    title: "C5 property names compare case-insensitively",
    config: REP,
    octets: octets(
      OUR_GREETING,
      ready(
        "0b",
        text("sOCKET-tYPE"),
        "00000003",
        text("REQ"),
        "08",
        text("IDENTITY"),
        "00000001",
        text("i"),
      ),
    ),
    peer: {
      socketType: "REQ",
      routingId: text("i"),
      properties: [
        ["sOCKET-tYPE", text("REQ")],
        ["IDENTITY", text("i")],
      ],
    },
  },
  {
    title: "C6 a READY without Socket-Type is accepted",
    config: PULL,
    octets: octets(OUR_GREETING, ready()),
    peer: { socketType: "", properties: [] },
  },
  {
    title: "C11 the Identity of a type that has none is ignored, even a bad one",
    config: PULL,
    octets: octets(OUR_GREETING, ready(socketType("PUSH"), identity(octets("00 01")))),
    peer: { socketType: "PUSH" },
  },
  ...["00", "0000", "00 61", "00 61626364"].map((bytes) => ({
    title: `C13 an identity that begins with zero is accepted: ${bytes}`,
    config: REP,
    octets: octets(OUR_GREETING, ready(socketType("REQ"), identity(octets(bytes)))),
    peer: { socketType: "REQ", routingId: octets(bytes) },
  })),
  {
    title: "C13 an identity of 255 octets is accepted",
    config: REP,
    octets: octets(OUR_GREETING, ready(socketType("REQ"), identity(Buffer.alloc(255, 1)))),
    peer: { socketType: "REQ", routingId: Buffer.alloc(255, 1) },
  },
  {
    title: "C15 unknown properties are kept",
    config: PULL,
    octets: octets(OUR_GREETING, ready(socketType("PUSH"), "03", text("X-a"), "00000002 00ff")),
    peer: {
      socketType: "PUSH",
      properties: [
        ["Socket-Type", text("PUSH")],
        ["X-a", octets("00ff")],
      ],
    },
  },
  {
    title: "C21 a Resource is accepted",
    config: PULL,
    octets: octets(OUR_GREETING, ready(socketType("PUSH"), "08", text("Resource"), "00000001", text("/"))),
    peer: { socketType: "PUSH" },
  },
  {
    title: "C23 a READY without the COMMAND flag is accepted",
    config: PULL,
    octets: octets(OUR_GREETING, frame(0, "05", text("READY"), socketType("PUSH"))),
    peer: { socketType: "PUSH" },
  },
  {
    title: "E3 a short READY in long form is accepted",
    config: PULL,
    octets: octets(OUR_GREETING, longFrame(4, octets("05", text("READY"), socketType("PUSH")))),
    peer: { socketType: "PUSH" },
  },
  {
    title: "E5 E6 reserved flags and MORE on a READY are ignored",
    config: PULL,
    octets: octets(OUR_GREETING, frame(0xfd, "05", text("READY"), socketType("PUSH"))),
    peer: { socketType: "PUSH" },
  },
  {
    title: "E15 a READY of exactly the limit is accepted",
    config: { socketType: "PULL", maxHandshakeBytes: 300 },
    octets: octets(
      OUR_GREETING,
      ready(socketType("PUSH"), "01", text("x"), "0000010c", Buffer.alloc(300 - 6 - 20 - 6, 9)),
    ),
    peer: { socketType: "PUSH" },
  },
];

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

/** A peer of ZMTP 2.0: what it sends, what we say behind our revision, and whom we take it for. */
export interface LegacyHandshake {
  readonly title: string;
  readonly config: HandshakeConfig;
  readonly octets: Buffer;
  readonly says: Buffer;
  readonly peer: { readonly socketType: string; readonly routingId: Buffer };
}

/** Signature and revision 1, with the padding of an identity of no bytes. */
const REVISION_1 = "ff 0000000000000001 7f 01";
const NAMELESS = Buffer.alloc(0);
const WITH_NAME = octets("00 08", text("client-7"));

export const LEGACY_HANDSHAKES: readonly LegacyHandshake[] = [
  {
    title: "A10 JeroMQ 0.3.6 as PUSH, as captured",
    config: PULL,
    octets: octets(REVISION_1, "08 00 00"),
    says: octets("07 00 00"),
    peer: { socketType: "PUSH", routingId: NAMELESS },
  },
  {
    title: "A10 a DEALER with an identity, and ours",
    config: { socketType: "ROUTER", routingId: text("us") },
    octets: octets(REVISION_1, "05", WITH_NAME),
    says: octets("06 00 02", text("us")),
    peer: { socketType: "DEALER", routingId: text("client-7") },
  },
  {
    title: "A10 an identity of 255 octets that begins with zero",
    config: { socketType: "REP" },
    octets: octets(REVISION_1, "03 00 ff", zeros(255)),
    says: octets("04 00 00"),
    peer: { socketType: "REQ", routingId: zeros(255) },
  },
  {
    title: "C11 the identity of a type that has none is ignored",
    config: { socketType: "PUB" },
    octets: octets(REVISION_1, "02", WITH_NAME),
    says: octets("01 00 00"),
    peer: { socketType: "SUB", routingId: NAMELESS },
  },
  {
    title: "A19 XSUB as RFC 15 has it is a SUB, and our XPUB says PUB",
    config: { socketType: "XPUB" },
    octets: octets(REVISION_1, "02 00 00"),
    says: octets("01 00 00"),
    peer: { socketType: "SUB", routingId: NAMELESS },
  },
  {
    title: "A19 XPUB as libzmq says it, and our XSUB says SUB",
    config: { socketType: "XSUB" },
    octets: octets(REVISION_1, "09 00 00"),
    says: octets("02 00 00"),
    peer: { socketType: "XPUB", routingId: NAMELESS },
  },
  {
    title: "A19 XSUB as libzmq says it",
    config: { socketType: "PUB" },
    octets: octets(REVISION_1, "0a 00 00"),
    says: octets("01 00 00"),
    peer: { socketType: "XSUB", routingId: NAMELESS },
  },
  {
    title: "A3 the padding may hold anything, and of octet 10 only bit 0 counts",
    config: { socketType: "PAIR" },
    octets: octets("ff deadbeefcafe0102 01 01", "00 00 00"),
    says: octets("00 00 00"),
    peer: { socketType: "PAIR", routingId: NAMELESS },
  },
];

const KEYS = { publicKey: Buffer.alloc(32, 1), secretKey: Buffer.alloc(32, 2) };

/** Peers of ZMTP 2.0 that are refused. */
export const BAD_LEGACY_HANDSHAKES: readonly Omit<LegacyHandshake & { code: ProtocolErrorCode }, "peer">[] = [
  ...(
    [
      ["PLAIN", { mechanism: "PLAIN", server: true }],
      ["CURVE", { mechanism: "CURVE", server: true, ask: false, ...KEYS }],
      ["a NULL that asks who it is", { mechanism: "NULL", ask: true }],
    ] as const
  ).map(([name, security]) => ({
    title: `A17 under ${name}`,
    config: { socketType: "PULL", security },
    octets: octets(REVISION_1, "08 00 00"),
    says: NAMELESS,
    code: "version-too-old" as const,
  })),
  {
    title: "A10 at a type that ZMTP 2.0 does not know",
    config: { socketType: "SERVER" },
    octets: octets(REVISION_1, "05 00 00"),
    says: NAMELESS,
    code: "version-too-old",
  },
  {
    title: "A18 a type that does not fit",
    config: PULL,
    octets: octets(REVISION_1, "02 00 00"),
    says: octets("07 00 00"),
    code: "incompatible-socket-type",
  },
  {
    title: "A18 no type at all",
    config: PULL,
    octets: octets(REVISION_1, "0b"),
    says: octets("07 00 00"),
    code: "incompatible-socket-type",
  },
  ...["01", "02", "04", "80"].map((flags) => ({
    title: `A10 an identity with flags ${flags}`,
    config: PULL,
    octets: octets(REVISION_1, "08", flags),
    says: octets("07 00 00"),
    code: "invalid-routing-id" as const,
  })),
];
