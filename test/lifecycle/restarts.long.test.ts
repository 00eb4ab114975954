import { it } from "vitest";
import { killAndRestart } from "../support/suites/restarts.js";

it("a PUSH goes on while its peer is killed and restarted 100 times", async () => {
  await killAndRestart(100);
}, 300_000);
