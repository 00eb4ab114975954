/**
 * request() with retries against a REP of libzmq that dies, restarts, or answers too late. It echoes the envelope of a
 * request, and so the id of `correlate`.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { Request } from "../../src/index.js";
import { Child } from "../support/child.js";
import { freePort, managed, texts, until } from "../support/helpers.js";
import { findPython } from "../support/python.js";

const python = findPython();
const SCRIPT = fileURLToPath(new URL("../support/peers/rep.py", import.meta.url));

async function startReply(endpoint: string, mode: "answer" | "die" | "late") {
  const child = new Child(spawn(python.command!, ["-B", SCRIPT, endpoint, mode]));
  onTestFinished(() => void child.process.kill("SIGKILL"));
  const { bound } = await child.line((line) => "bound" in line, "the REP is bound");
  return { child, endpoint: bound as string, asked: () => child.lines.length - 1 };
}

describe.skipIf(python.command === null)(`request() with retries and libzmq's REP`, () => {
  describe.each([false, true])("correlate %s", (correlate) => {
    it("a REP that dies with the request is asked again when it is back", async () => {
      const first = await startReply(await freePort(), "die");
      const request = managed(new Request({ correlate, reconnectInterval: 20 }));
      request.connect(first.endpoint);
      const answer = request.request("are you there?", { timeout: 500, retries: 200 });
      await first.child.ended;
      expect(first.asked()).toBe(1);
      await startReply(first.endpoint, "answer");
      expect(texts(await answer)[0]).toBe("are you there?");
      expect(texts(await request.request("and now?", { timeout: 20_000 }))[0]).toBe("and now?");
    });

    it("a REP that is killed again and again loses no call", async () => {
      let reply = await startReply(await freePort(), "answer");
      const request = managed(new Request({ correlate, reconnectInterval: 20 }));
      request.connect(reply.endpoint);
      for (let round = 0; round < 3; round++) {
        const calls = Array.from({ length: 20 }, (_, i) =>
          request.request(`${round}/${i}`, { timeout: 500, retries: 200 }),
        );
        await calls[5];
        reply.child.process.kill("SIGKILL");
        await reply.child.ended;
        reply = await startReply(reply.endpoint, "answer");
        const answers = await Promise.all(calls);
        expect(answers.map((answer) => texts(answer)[0])).toEqual(calls.map((_, i) => `${round}/${i}`));
      }
    });

    it("a late answer to the first try is not taken for that to the second", async () => {
      const reply = await startReply("tcp://127.0.0.1:*", "late");
      const request = managed(new Request({ correlate }));
      request.connect(reply.endpoint);
      await request.connected({ timeout: 20_000 });
      const answer = request.request("how are you?", { timeout: 300, retries: 200 });
      await reply.child.line((line) => line.number === 1, "the first try is there");
      await until(() => request.stats.messagesSent > 1, "the second try is sent");
      reply.child.process.stdin!.write("answer\n");
      const [question, number] = texts(await answer);
      expect(question).toBe("how are you?");
      expect(Number(number)).toBeGreaterThan(1);
      expect(texts(await request.request("next", { timeout: 20_000 }))[0]).toBe("next");
    });
  });

  it("a call to nobody says where, how often, for how long, and what failed last", async () => {
    const endpoint = await freePort();
    const request = managed(new Request());
    request.connect(endpoint);
    const error = await request.request("hello", { timeout: 40, retries: 2 }).catch((reason) => reason);
    expect(error).toMatchObject({ name: "ZmqError", code: "EAGAIN", cause: { code: "ECONNREFUSED" } });
    expect(error.message).toMatch(/no reply to 3 tries of 40 ms: REQ waited \d+ ms/);
    expect(error.message).toContain(`(${endpoint}) with 0 peers; last failure: `);
    expect(error.message).toContain(error.cause.message);
  });
});
