/** C8: every ordered pair of socket types. */
import { describe, expect, it } from "vitest";
import { isCompatible } from "../../../src/wire/zmtp/compatibility.js";

/** The RFC's matrix, once for each unordered pair. */
const PAIRS = [
  "REQ-REP REQ-ROUTER REP-DEALER DEALER-DEALER DEALER-ROUTER ROUTER-ROUTER",
  "PUB-SUB PUB-XSUB XPUB-SUB XPUB-XSUB PUSH-PULL PAIR-PAIR",
  "CLIENT-SERVER RADIO-DISH SCATTER-GATHER PEER-PEER CHANNEL-CHANNEL",
].flatMap((line) => line.split(" "));

const ALLOWED = new Set(PAIRS.flatMap((pair) => [pair, pair.split("-").reverse().join("-")]));
const TYPES = [...new Set(PAIRS.flatMap((pair) => pair.split("-")))];

describe("socket compatibility", () => {
  it("exactly the pairs of the matrix may talk, in both orders (C8)", () => {
    expect(TYPES).toHaveLength(19);
    for (const ours of TYPES) {
      for (const theirs of TYPES) {
        expect(isCompatible(ours, theirs), `${ours}-${theirs}`).toBe(ALLOWED.has(`${ours}-${theirs}`));
      }
    }
  });

  it.each(["push", "Push", "PUSH ", "PUSH\0", "", "XREQ", "XREP", "STREAM", "constructor", "toString"])(
    "%j is nobody's partner (C7)",
    (theirs) => {
      for (const ours of TYPES) expect(isCompatible(ours, theirs)).toBe(false);
      for (const ours of TYPES) expect(isCompatible(theirs, ours)).toBe(false);
    },
  );
});
