/**
 * The two ways to read an event, in one pass and by scanner and msgpackr, say the same of everything.
 */
import { expect, it } from "vitest";
import { Codec } from "../../../src/rpc/wire/codec.js";
import { decodeEvent } from "../../../src/rpc/wire/event.js";
import { Fuzzer } from "../../support/rpc-fuzzer.js";
import { alike } from "../../support/same.js";

const EVENTS = Number(process.env.ZWIRE_RPC_FUZZ ?? 10_000);
const NAMES = ["echo", "add", "_zpc_hb", "_zpc_more", "OK", "__proto__", "é"];

function outcome(codec: Codec, bytes: Buffer): unknown {
  try {
    const { header, fault, ...event } = decodeEvent(codec, bytes);
    const others = Object.entries(header).filter(
      ([key]) => !["message_id", "response_to", "v", "zwire"].includes(key),
    );
    return { ...event, fault: fault === null ? null : "fault", others: Object.fromEntries(others) };
  } catch {
    return "no event";
  }
}

it(`${EVENTS} random events`, () => {
  const fuzzer = new Fuzzer(Number(process.env.ZWIRE_RPC_SEED ?? 99));
  const limits = { depth: 10, items: 200 };
  const [quick, slow] = [new Codec(limits, false), new Codec(limits, false)];
  let read = 0;
  const one = quick.reader.read.bind(quick.reader);
  quick.reader.read = (frame) => {
    const event = one(frame);
    if (event !== null) read++;
    return event;
  };
  slow.reader.read = () => null;
  const ids: Buffer[] = [];
  for (let i = 0; i < EVENTS; i++) {
    const bytes = fuzzer.event(ids, NAMES);
    alike(outcome(quick, bytes), outcome(slow, bytes), () => bytes.toString("hex"));
  }
  expect(read).toBeGreaterThan(EVENTS / 10);
});
