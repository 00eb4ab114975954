/** Handshakes with peers of ZMTP 2.0: those that succeed, and those that fail. */
import type { HandshakeConfig } from "../../src/wire/zmtp/handshake.js";
import type { ProtocolErrorCode } from "../../src/wire/zmtp/protocol-error.js";
import { octets, text, zeros } from "./octets.js";

const PULL: HandshakeConfig = { socketType: "PULL" };

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
