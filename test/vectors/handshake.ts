/**
 * Whole handshakes that succeed (sections A to E): everything that the peer sends, and what becomes of it at our
 * socket. Bytes are written out or captured, never made by the code under test.
 */
import type { HandshakeConfig } from "../../src/wire/zmtp/handshake.js";
import { frame, greetingWith, identity, longFrame, ready, socketType } from "./frames.js";
import { LIBZMQ_GREETING, OUR_GREETING } from "./greeting.js";
import { octets, text } from "./octets.js";

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
