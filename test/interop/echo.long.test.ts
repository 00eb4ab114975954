/** As echo.test.ts, 50 times in a row while other processes use all of the machine's cores. */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { expect, it, onTestFinished } from "vitest";
import { lostAnswers, startEchoRouter } from "../support/suites/echoes.js";

function keepBusy(): void {
  for (let i = 0; i < availableParallelism(); i++) {
    const child = spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" });
    onTestFinished(() => void child.kill("SIGKILL"));
  }
}

it("a Dealer that sends 2,000 messages to a Router gets 2,000 answers 50 times, on a busy machine", async () => {
  const endpoints = await startEchoRouter();
  keepBusy();
  for (const endpoint of endpoints) {
    for (let round = 0; round < 50; round++) {
      expect(await lostAnswers(endpoint, 2000, 2000), `${endpoint}, round ${round}`).toBe(0);
    }
  }
}, 600_000);
