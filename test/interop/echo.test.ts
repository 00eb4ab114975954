/**
 * Sending must not starve receiving: a libzmq Router that answers everything drops what we do not fetch in time. What it
 * takes hundreds of rounds to see is in echo.long.test.ts.
 */

import { expect, it } from "vitest";
import { Router } from "zeromq";
import { foreign } from "../support/foreign.js";
import { temporaryDirectory } from "../support/helpers.js";
import { lostAnswers, startEchoRouter } from "../support/suites/echoes.js";

it("a Dealer that sends 2,000 messages to a Router in another process gets 2,000 answers, over tcp and ipc", async () => {
  for (const endpoint of await startEchoRouter()) {
    expect(await lostAnswers(endpoint, 2000, 2000), endpoint).toBe(0);
  }
});

// Router and Dealer share a thread here and libzmq's own thread may get no time for long: once of three times has to do.
it("and 2,000 answers of a Router in the same thread", async () => {
  const router = foreign(new Router());
  await router.bind(`ipc://${temporaryDirectory()}/r`);
  (async () => {
    for await (const message of router) await router.send(message);
  })().catch(() => {}); // ends with the test
  const lost: number[] = [];
  while (lost.length < 3 && !lost.includes(0)) {
    lost.push(await lostAnswers(router.lastEndpoint as string, 2000, 2000));
  }
  expect(lost).toContain(0);
});
