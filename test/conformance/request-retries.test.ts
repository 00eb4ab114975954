/**
 * request() with retries: what the peer sees of the tries, and how the socket is left.
 */
import { describe, expect, it } from "vitest";
import { Reply, Request, Router, withCodec } from "../../src/index.js";
import {
  freePort,
  managed,
  rawListen,
  record,
  settled,
  TRANSPORTS,
  temporaryDirectory,
  texts,
  turns,
  until,
} from "../support/helpers.js";
import { message } from "../support/raw-peer.js";

it("each try comes on a connection of its own, and the late answer to an earlier one is not heard (H19)", async () => {
  const request = managed(new Request({ reconnectInterval: 20 }));
  const listener = await rawListen();
  request.connect(listener.endpoint);
  const first = await listener.accept();
  await first.handshake({ type: "REP" });
  const answer = request.request("q", { timeout: 300, retries: 50 });
  expect(texts(await first.readMessage())).toEqual(["", "q"]);
  const second = await listener.accept();
  first.write(message("", "late"));
  await second.handshake({ type: "REP" });
  expect(texts(await second.readMessage())).toEqual(["", "q"]);
  second.write(message("", "in time"));
  expect(texts(await answer)).toEqual(["in time"]);
  await first.closed();
});

it("with correlate the tries share a connection, and have numbers of their own", async () => {
  const request = managed(new Request({ correlate: true }));
  const events = record(request);
  const listener = await rawListen();
  request.connect(listener.endpoint);
  const peer = await listener.accept();
  await peer.handshake({ type: "REP" });
  const answer = request.request("q", { timeout: 200, retries: 100 });
  const [one, two] = [await peer.readMessage(), await peer.readMessage()];
  expect((two[0].readUInt32LE() - one[0].readUInt32LE()) >>> 0).toBe(1);
  peer.write(message(one[0], "", "late"));
  let last = two;
  // A busy machine may let more tries pass: the newest is answered.
  const answering = async (): Promise<never> => {
    for (;;) {
      peer.write(message(last[0], "", "in time"));
      last = await peer.readMessage();
    }
  };
  const reading = expect(answering()).rejects.toThrow(); // when the connection ends
  expect(texts(await answer)).toEqual(["in time"]);
  expect(events.of("disconnect")).toHaveLength(0);
  await request.close({ linger: 0 });
  await reading;
});

it("tries go to the peers in turn: one that is gone is passed over", async () => {
  const reply = managed(new Reply());
  reply.on("message", ([question]) => void reply.send(`re: ${question}`));
  const request = managed(new Request());
  request.connect(await freePort());
  request.connect(await reply.bind("tcp://127.0.0.1:*"));
  await request.connected({ timeout: 20_000 });
  for (let i = 0; i < 4; i++) {
    expect(texts(await request.request(`${i}`, { timeout: 100, retries: 200 }))).toEqual([`re: ${i}`]);
  }
});

it("a bound Request asks again, too: its peer dials anew and keeps no late answer (H16)", async () => {
  const request = managed(new Request());
  const reply = managed(new Reply({ reconnectInterval: 10 }));
  reply.connect(await request.bind("tcp://127.0.0.1:*"));
  const events = record(reply);
  let asked = 0;
  reply.on("message", async ([question]) => {
    const number = ++asked;
    if (number === 1) await events.next("disconnect"); // because the first try has been given up
    if (number === 1) await reply.connected({ timeout: 20_000 });
    await reply.send(`${question} ${number}`);
  });
  const [answer] = texts(await request.request("q", { timeout: 200, retries: 200 }));
  expect(Number(answer.split(" ")[1])).toBeGreaterThan(1);
});

it("values are asked again as bytes are", async () => {
  const reply = managed(new Reply());
  const request = managed(new Request());
  request.connect(await reply.bind("tcp://127.0.0.1:*"));
  const answer = withCodec(request, "json").request({ a: 1 }, { timeout: 100, retries: 300 });
  await until(() => request.stats.messagesSent > 1, "the second try");
  reply.on("message", ([question]) => void reply.send(question));
  expect(await answer).toEqual([{ a: 1 }]);
});

describe.each([
  ["retries of another type", { timeout: 1, retries: "3" }, /retries must be a number; got string/],
  [
    "negative retries",
    { timeout: 1, retries: -1 },
    /retries must be an integer from 0 to 2147483647, or Infinity; got -1/,
  ],
  ["a fraction", { timeout: 1, retries: 1.5 }, /got 1.5/],
  ["NaN", { timeout: 1, retries: Number.NaN }, /got NaN/],
  ["no time limit", { retries: 3 }, /retries need a timeout of at least 1 ms for each try; got -1/],
  ["no time at all", { timeout: 0, retries: 3 }, /retries need a timeout.* got 0/],
])("%s", (_name, options, text) => {
  it("throws at once", () => {
    expect(() => managed(new Request()).request("x", options as never)).toThrow(text);
  });
});

it("without timeout, receiveTimeout is that of each try, also where sendTimeout is 0", async () => {
  const request = managed(new Request({ receiveTimeout: 30, sendTimeout: 0 }));
  await request.bind("tcp://127.0.0.1:*"); // no peer: nothing can be sent
  const error = await request.request("q", { retries: 1 }).catch((reason) => reason);
  expect(error.message).toContain("no reply to 2 tries of 30 ms");
});

it("over inproc, each try has the question as it was, whatever its receiver has made of it", async () => {
  const [router, request] = [managed(new Router()), managed(new Request())];
  request.connect(await router.bind("inproc://retries-own-memory"));
  const answer = request.request(Buffer.from("hello"), { timeout: 100, retries: 50 });
  for (let tries = 1; tries <= 3; tries++) {
    const [id, empty, question] = await router.receive();
    expect(String(question)).toBe("hello");
    question.fill("X");
    if (tries === 3) await router.send([id, empty, "done"]);
  }
  expect(String(await answer)).toBe("done");
});

const AGAIN = TRANSPORTS.map(({ name, endpoint }) => ({
  name,
  // A name that can be bound again.
  endpoint: name === "ipc" ? () => `ipc://${temporaryDirectory()}/r` : endpoint,
}));

describe.each(AGAIN)("over $name", ({ endpoint }) => {
  it.each([false, true])(
    "what was given up without a peer reaches none (H19; correlate %s)",
    async (correlate) => {
      const reply = managed(new Reply());
      const actual = await reply.bind(endpoint());
      await reply.unbind(actual);
      const request = managed(new Request({ correlate, sendHighWaterMark: 1, reconnectInterval: 20 }));
      request.connect(actual);
      const givenUp = request.request("given up", { timeout: 20, retries: 2 });
      await expect(givenUp).rejects.toThrow("no reply to 3 tries");
      const answer = request.request("q", { timeout: 100, retries: 300 });
      await reply.bind(actual);
      const asked: string[] = [];
      reply.on("message", ([question]) => {
        asked.push(String(question));
        void reply.send("a");
      });
      expect(texts(await answer)).toEqual(["a"]);
      expect(new Set(asked)).toEqual(new Set(["q"]));
    },
  );

  it("aborted between two tries, the socket asks the next question as ever", async () => {
    const reply = managed(new Reply());
    const request = managed(new Request({ reconnectInterval: 10 }));
    request.connect(await reply.bind(endpoint()));
    const aborter = new AbortController();
    const call = { timeout: 30, retries: Number.POSITIVE_INFINITY, signal: aborter.signal };
    const rejected = expect(request.request("q", call)).rejects.toThrow("enough");
    await until(() => request.stats.messagesSent > 2, "some tries");
    aborter.abort(new Error("enough"));
    await rejected;
    reply.on("message", ([question]) => void reply.send(`re: ${question}`));
    expect(texts(await request.request("next", { timeout: 20_000 }))).toEqual(["re: next"]);
  });

  it("calls at once wait for each other's tries, and each gets its own answer", async () => {
    const reply = managed(new Reply());
    const request = managed(new Request({ reconnectInterval: 10 }));
    request.connect(await reply.bind(endpoint()));
    const calls = ["1", "2", "3"].map((question) =>
      request.request(question, { timeout: 100, retries: 300 }),
    );
    await until(() => request.stats.messagesSent > 1, "the first call tries again");
    expect(await settled(Promise.race(calls))).toBe(false);
    reply.on("message", ([question]) => void reply.send(`re: ${question}`));
    expect((await Promise.all(calls)).flatMap(texts)).toEqual(["re: 1", "re: 2", "re: 3"]);
  });

  it("a close() ends the tries with EBADF", async () => {
    const reply = managed(new Reply());
    const request = managed(new Request());
    request.connect(await reply.bind(endpoint()));
    const call = request.request("q", { timeout: 40, retries: Number.POSITIVE_INFINITY });
    const rejected = expect(call).rejects.toMatchObject({ code: "EBADF" });
    await turns(3);
    await request.close({ linger: 0 });
    await rejected;
  });
});
