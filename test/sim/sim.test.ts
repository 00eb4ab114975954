/**
 * Many runs of two to ten sockets on virtual time and a network that misbehaves: order, no message twice, none torn,
 * marks kept, and losses only where docs/delivery.md allows them. ZWIRE_SIM_SEED plays one seed and tells what happened,
 * ZWIRE_SIM_SEEDS that many; `npm run sim` sets them.
 */
import { expect, it } from "vitest";
import { simulate } from "./simulate.js";

const one = process.env.ZWIRE_SIM_SEED;
const from = Number(process.env.ZWIRE_SIM_FROM ?? 1);
const count = Number(process.env.ZWIRE_SIM_SEEDS ?? 100);
const LOG_LINES = 400;
const PROGRESS = 1000;

if (one !== undefined) {
  it(`seed ${one}`, async () => {
    console.log(await simulate(Number(one), LOG_LINES));
  }, 0);
} else {
  it(`${count} seeds`, async () => {
    for (let seed = from; seed < from + count; seed++) {
      await simulate(seed);
      if ((seed - from + 1) % PROGRESS === 0) console.log(`${seed - from + 1} seeds`);
    }
  }, 0);

  it("a seed repeats, step for step", async () => {
    for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) expect(await simulate(seed)).toEqual(await simulate(seed));
  });
}
