/**
 * The line of requests in simulated time: how many tries a request has, how long each takes, and what ends them.
 */
import { describe, expect, it } from "vitest";
import { ZmqError } from "../../../src/base/errors.js";
import type { Message, OutMessage } from "../../../src/base/message.js";
import type { CallOptions } from "../../../src/base/waiting.js";
import { RequestLine } from "../../../src/patterns/request-line.js";
import { ManualTurns } from "../../support/manual-turns.js";

const REPLY: Message = [Buffer.from("reply")];

/** A line in front of a peer that answers the tries whose numbers are given, at once. */
function line({ answers = [] as number[], refuses = undefined as Error | undefined } = {}) {
  const turns = new ManualTurns();
  const sent: { message: OutMessage; at: number; timeout: number | undefined }[] = [];
  const abandoned: number[] = [];
  const requests = new RequestLine({
    send: async (message, options) => {
      sent.push({ message, at: turns.now, timeout: options?.timeout });
      if (refuses !== undefined) throw refuses;
    },
    receive: (options: CallOptions | undefined) =>
      new Promise((resolve, reject) => {
        if (options?.signal?.aborted) return reject(options.signal.reason);
        if (answers.includes(sent.length)) return resolve(REPLY);
        turns.expire(options?.timeout ?? -1, options?.signal, reject);
      }),
    abandon: () => abandoned.push(sent.length),
    turns,
    now: () => turns.now,
  });
  /** Time goes by, and what waited for it goes on. */
  const pass = async (ms: number): Promise<void> => {
    for (let i = 0; i < 20; i++) await null;
    turns.advance(ms);
    for (let i = 0; i < 20; i++) await null;
  };
  return { turns, sent, abandoned, requests, pass };
}

const question = Buffer.from("question");

describe("request() with retries", () => {
  it("sends again after each timeout, the same message, and takes the answer to the last try", async () => {
    const { requests, sent, abandoned, pass } = line({ answers: [3] });
    const answer = requests.request(question, { timeout: 100, retries: 5 });
    for (let i = 0; i < 3; i++) await pass(100);
    expect(await answer).toBe(REPLY);
    expect(sent.map(({ at, timeout }) => [at, timeout])).toEqual([
      [0, 100],
      [100, 100],
      [200, 100],
    ]);
    const messages = sent.map(({ message }) => message as Uint8Array);
    for (const message of messages) expect([...message]).toEqual([...(question as Uint8Array)]);
    // Each in memory of its own: over inproc the receiver may change what it has got.
    expect(new Set(messages.map(({ buffer }) => buffer)).size).toBe(3);
    expect(abandoned).toEqual([1, 2]);
  });

  it("gives up after as many retries, each with its full time, and says so", async () => {
    const { requests, sent, abandoned, pass } = line();
    const answer = requests.request(question, { timeout: 100, retries: 2 });
    const rejected = expect(answer).rejects.toThrow(/no reply to 3 tries of 100 ms.* 330 ms/);
    for (const ms of [110, 110, 110]) await pass(ms); // a busy machine is late each time
    await rejected;
    expect([sent.length, abandoned]).toEqual([3, [1, 2, 3]]);
  });

  it("asks for ever with Infinity, until the signal", async () => {
    const { requests, sent, abandoned, pass } = line();
    const aborter = new AbortController();
    const answer = requests.request(question, { timeout: 1, retries: Infinity, signal: aborter.signal });
    const rejected = expect(answer).rejects.toThrow("enough");
    for (let i = 0; i < 500; i++) await pass(1);
    expect(sent).toHaveLength(501);
    aborter.abort(new Error("enough"));
    await rejected;
    await pass(10);
    expect([sent.length, abandoned.at(-1)]).toEqual([501, 501]);
  });

  it("an aborted signal whose reason looks like a timeout is no reason to try again", async () => {
    const { requests, sent, pass } = line();
    const aborter = new AbortController();
    const answer = requests.request(question, { timeout: 100, retries: 9, signal: aborter.signal });
    const rejected = expect(answer).rejects.toMatchObject({ code: "EAGAIN" });
    await pass(99.5);
    aborter.abort(new ZmqError("EAGAIN"));
    await rejected;
    expect(sent).toHaveLength(1);
  });

  it("a send that is refused at once (sendQueueLimit, EFSM) is not tried again and again", async () => {
    for (const code of ["EAGAIN", "EFSM"]) {
      const { requests, sent } = line({ refuses: new ZmqError(code) });
      const answer = requests.request(question, { timeout: 100, retries: Infinity });
      await expect(answer).rejects.toMatchObject({ code });
      expect(sent).toHaveLength(1);
    }
  });

  it("a call in the line has less time for its tries, and the last has none left over", async () => {
    const { requests, sent, pass } = line();
    const first = requests.request(question, { timeout: 250 });
    const second = requests.request(question, { timeout: 100, retries: 3 });
    const third = requests.request(question, { timeout: 100, retries: 4 });
    const outcomes = Promise.allSettled([first, second, third]);
    for (let i = 0; i < 11; i++) await pass(50);
    const errors = (await outcomes).map((outcome) => (outcome as PromiseRejectedResult).reason.message);
    expect(sent.map(({ at }) => at)).toEqual([0, 250, 350]);
    expect(errors[1]).toContain("no reply to 1 try of 100 ms");
    expect(errors[2]).toContain("no reply to 1 try of 100 ms");
  });

  it("what is closed between two tries is not tried again", async () => {
    const { requests, sent, pass } = line();
    const rejected = expect(requests.request(question, { timeout: 100, retries: 3 })).rejects.toThrow("shut");
    requests.close(new Error("shut"));
    await pass(100);
    await rejected;
    expect(sent).toHaveLength(1);
  });
});
