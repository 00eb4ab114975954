/**
 * The simulation of test/sim by hand: `npm run sim -- --seed 123` plays one seed again and tells what happened,
 * `--seeds 1000000` plays that many, `--from 5000` begins elsewhere than at 1.
 */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { readyOrExit, root } from "./ready.mjs";

const { values } = parseArgs({
  options: { seed: { type: "string" }, seeds: { type: "string" }, from: { type: "string" } },
});
for (const [name, value] of Object.entries(values)) {
  if (!/^\d+$/.test(value)) {
    console.error(`--${name} must be a number; got ${value}`);
    process.exit(2);
  }
}
readyOrExit({ quiet: true });
const env = { ...process.env };
if (values.seed !== undefined) env.ZWIRE_SIM_SEED = values.seed;
if (values.seeds !== undefined) env.ZWIRE_SIM_SEEDS = values.seeds;
if (values.from !== undefined) env.ZWIRE_SIM_FROM = values.from;
const vitest = ["vitest", "run", "--project", "unit", "test/sim/sim.test.ts", "--disable-console-intercept"];
const { status } = spawnSync("npx", vitest, { cwd: root, env, stdio: "inherit" });
process.exit(status ?? 1);
