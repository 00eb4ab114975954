/**
 * `zwire record` and `zwire replay`: with pyzmq on the other side, ended by signals, cut, damaged, through pipes and a proxy.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { readRecording } from "../../src/cli/recording/files.js";
import { encodeHead, encodeMessages } from "../../src/cli/recording/format.js";
import { Dish, Radio } from "../../src/draft.js";
import { Dealer, Proxy, Publisher, Pull, Push, Subscriber } from "../../src/index.js";
import { Child } from "../support/child.js";
import { run, start, stopped } from "../support/command.js";
import { managed, temporaryDirectory, texts, until } from "../support/helpers.js";
import { findPython } from "../support/python.js";

const ANY = "tcp://127.0.0.1:*";
const python = findPython();
const SCRIPT = fileURLToPath(new URL("../support/peers/stream-of.py", import.meta.url));

const newFile = () => `${temporaryDirectory()}/a.zwr`;

/** A stream of pyzmq. */
async function stream(...args: string[]) {
  const child = new Child(spawn(python.command!, ["-B", SCRIPT, ...args]));
  onTestFinished(() => void child.process.kill("SIGKILL"));
  const { endpoint } = await child.line((line) => "endpoint" in line, "the socket of pyzmq");
  const digest = async () =>
    (await child.line((line) => "digest" in line, "the end of the stream", 100_000)).digest;
  return { endpoint: endpoint as string, digest };
}

/** A recording of messages at some milliseconds. */
function written(messages: readonly (readonly [ms: number, ...parts: string[]])[]): string {
  const file = newFile();
  const pieces = messages.flatMap(([ms, ...parts]) =>
    encodeMessages([parts.map((part) => Buffer.from(part))], BigInt(ms * 1e6)),
  );
  writeFileSync(file, Buffer.concat([encodeHead({ start: 1n, metadata: {} }), ...pieces]));
  return file;
}

/** The messages in a file, and what is missing of it. */
async function read(file: string) {
  const messages: string[][] = [];
  const times: bigint[] = [];
  let missing: string | null = null;
  const hooks = { truncated: (what: string) => void (missing = what) };
  for await (const some of readRecording(file, hooks, new AbortController().signal)) {
    for (const { parts, time } of some) {
      messages.push(texts(parts));
      times.push(time);
    }
  }
  return { messages, times, missing };
}

async function receiver(): Promise<{ pull: Pull; endpoint: string }> {
  const pull = managed(new Pull());
  return { pull, endpoint: await pull.bind(ANY) };
}

async function take(pull: Pull, count: number): Promise<string[]> {
  const got: string[] = [];
  while (got.length < count)
    got.push(...(await pull.receiveMany(count, { timeout: 20_000 })).map((m) => texts(m).join(",")));
  return got;
}

describe.skipIf(python.command === null)("with pyzmq", () => {
  it("100,000 messages of a PUSH are replayed to a PULL, all and in order", async () => {
    const file = newFile();
    const record = start(["record", "pull", "--bind", ANY, "--count", "100000", file]);
    const sender = await stream("send", "PUSH", "connect", await record.endpoint(), "100000");
    const sent = await sender.digest();
    expect(await record.ended).toMatchObject({ code: 0, out: "" });
    const listener = await stream("receive", "PULL", "bind", ANY, "100000");
    const replay = await run(["replay", "push", "--connect", listener.endpoint, "--speed", "0", file]);
    expect(replay).toEqual({ code: 0, out: "", err: "" });
    expect(await listener.digest()).toBe(sent);
  });

  it("what a PUB publishes is published again to a SUB", async () => {
    const file = newFile();
    const sender = await stream("send", "PUB", "bind", ANY, "5000");
    const record = start(["record", "sub", "--connect", sender.endpoint, "--count", "5000", file]);
    expect((await record.ended).code).toBe(0);
    const replay = start(["replay", "pub", "--bind", ANY, "--speed", "0", "-o", "noDrop=true", file]);
    const listener = await stream("receive", "SUB", "connect", await replay.endpoint(), "5000");
    expect(await listener.digest()).toBe(await sender.digest());
    expect((await replay.ended).code).toBe(0);
  });

  it("the program of docs/command-line.md reads what was recorded", async () => {
    const file = newFile();
    const record = start(["record", "pull", "--bind", ANY, "--count", "2", file]);
    const push = managed(new Push());
    push.connect(await record.endpoint());
    await push.sendMany([["one", "two"], "three"]);
    expect((await record.ended).code).toBe(0);
    const page = readFileSync(new URL("../../docs/command-line.md", import.meta.url), "utf8");
    const [, program] = /```python\n(.*?)```/s.exec(page) as RegExpExecArray;
    const { stdout, stderr } = spawnSync(python.command!, ["-c", program, file], { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(stdout.replace(/^\d+ /gm, "")).toBe("b'one'\nb'two'\nb'three'\n");
  });

  it("a DEALER of pyzmq may send, and get it back", async () => {
    const file = newFile();
    const record = start(["record", "dealer", "--bind", ANY, "--count", "1000", file]);
    const sender = await stream("send", "DEALER", "connect", await record.endpoint(), "1000");
    expect((await record.ended).code).toBe(0);
    const listener = await stream("receive", "DEALER", "bind", ANY, "1000");
    expect((await run(["replay", "dealer", "--connect", listener.endpoint, "--speed", "0", file])).code).toBe(
      0,
    );
    expect(await listener.digest()).toBe(await sender.digest());
  });
});

describe("record", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "%s ends it with all that had been received, and code 0",
    async (signal) => {
      const file = newFile();
      const record = start(["record", "pull", "--bind", ANY, file]);
      const push = managed(new Push());
      push.connect(await record.endpoint());
      const messages = Array.from({ length: 3000 }, (_, i) => [`${i}`, "x".repeat(i % 500)]);
      await push.sendMany(messages);
      await until(() => statSync(file).size > 100_000, "the recording goes on");
      expect(await stopped(record, signal)).toMatchObject({ code: 0, out: "" });
      const { messages: recorded, times, missing } = await read(file);
      expect(missing).toBeNull();
      expect(recorded.length).toBeGreaterThan(100);
      expect(recorded).toEqual(messages.slice(0, recorded.length));
      expect([...times].sort((a, b) => Number(a - b))).toEqual(times);
    },
  );

  it("--count that a signal forestalls is code 130; a time-out is code 3; both leave a whole file", async () => {
    const [first, second] = [newFile(), newFile()];
    const record = start(["record", "pull", "--bind", ANY, "--count", "5", first]);
    const push = managed(new Push());
    push.connect(await record.endpoint());
    await push.sendMany(["1", "2"]);
    await until(() => statSync(first).size > 130, "both are recorded");
    expect((await stopped(record, "SIGINT")).code).toBe(130);
    expect(await read(first)).toMatchObject({ messages: [["1"], ["2"]], missing: null });
    const late = await run(["record", "pull", "--bind", ANY, "--timeout", "50", second]);
    expect(late).toMatchObject({ code: 3, err: expect.stringContaining("no message came within 50 ms") });
    expect(await read(second)).toMatchObject({ messages: [], missing: null });
  });

  it("killed, it leaves what is whole, which can be replayed", async () => {
    const file = newFile();
    const record = start(["record", "pull", "--bind", ANY, file]);
    const push = managed(new Push());
    push.connect(await record.endpoint());
    await push.sendMany(Array.from({ length: 2000 }, (_, i) => `${i}`));
    await until(() => statSync(file).size > 10_000, "the recording goes on");
    record.child.kill("SIGKILL");
    await record.ended;
    const { messages } = await read(file);
    expect(messages.length).toBeGreaterThan(0);
    expect(messages).toEqual(messages.map((_, i) => [`${i}`]));
  });

  it("replaces no file without --force, and leaves none behind when nothing can be recorded", async () => {
    const file = newFile();
    writeFileSync(file, "precious");
    expect(await run(["record", "pull", "--bind", ANY, file])).toMatchObject({
      code: 1,
      err: expect.stringContaining("exists already. Use --force"),
    });
    const wrong = await run(["record", "pull", "--bind", "tcp://nowhere", "--force", file]);
    expect(wrong.code).not.toBe(0);
    expect(readFileSync(file, "utf8")).toBe("precious");
    const other = newFile();
    expect((await run(["record", "pull", "--bind", "tcp://nowhere", other])).code).not.toBe(0);
    expect(existsSync(other)).toBe(false);
    const forced = start(["record", "pull", "--bind", ANY, "--force", "--count", "1", file]);
    const push = managed(new Push());
    push.connect(await forced.endpoint());
    await push.send("new");
    expect((await forced.ended).code).toBe(0);
    expect((await read(file)).messages).toEqual([["new"]]);
  });

  it("names of peers, and groups, are the first part, and come back so", async () => {
    const [named, grouped] = [newFile(), newFile()];
    const byName = start(["record", "router", "--bind", ANY, "--count", "1", named]);
    const dealer = managed(new Dealer({ routingId: "ann" }));
    dealer.connect(await byName.endpoint());
    await dealer.send(["a", "b"]);
    expect((await byName.ended).code).toBe(0);
    expect((await read(named)).messages).toEqual([["ann", "a", "b"]]);
    const again = start(["replay", "router", "--bind", ANY, "--wait-peers", "1", named]);
    const back = managed(new Dealer({ routingId: "ann" }));
    back.connect(await again.endpoint());
    expect(texts(await back.receive({ timeout: 20_000 }))).toEqual(["a", "b"]);
    expect((await again.ended).code).toBe(0);

    const byGroup = start(["record", "dish", "--bind", ANY, "--join", "news", "--count", "1", grouped]);
    const radio = managed(new Radio());
    radio.connect(await byGroup.endpoint());
    const sending = setInterval(() => void radio.trySend("it rains", { group: "news" }), 20); // until it has joined
    onTestFinished(() => clearInterval(sending));
    expect((await byGroup.ended).code).toBe(0);
    expect((await read(grouped)).messages).toEqual([["news", "it rains"]]);
    const aloud = start(["replay", "radio", "--bind", ANY, grouped]);
    const dish = managed(new Dish());
    dish.join("news");
    dish.connect(await aloud.endpoint());
    expect(String((await dish.receive({ timeout: 20_000 }))[0])).toBe("it rains");
    expect((await aloud.ended).code).toBe(0);
  });

  it("a proxy's capture is recorded", async () => {
    const file = newFile();
    const record = start(["record", "pull", "--bind", ANY, "--count", "2", file]);
    const [front, back, capture] = [managed(new Pull()), managed(new Push()), managed(new Push())];
    capture.connect(await record.endpoint());
    await capture.connected({ timeout: 20_000 });
    const { pull, endpoint } = await receiver();
    back.connect(endpoint);
    const push = managed(new Push());
    push.connect(await front.bind(ANY));
    const proxy = new Proxy(front, back, { capture });
    const running = proxy.run();
    await push.sendMany([["job", "1"], "2"]);
    expect(await take(pull, 2)).toEqual(["job,1", "2"]);
    expect((await record.ended).code).toBe(0);
    expect((await read(file)).messages).toEqual([["job", "1"], ["2"]]);
    proxy.terminate();
    await running;
  });

  it("topics choose what is recorded", async () => {
    const file = newFile();
    const publisher = managed(new Publisher());
    const args = ["--connect", await publisher.bind(ANY), "--subscribe", "b", "--count", "2", file];
    const record = start(["record", "sub", ...args]);
    await publisher.waitForSubscribers(1, { timeout: 20_000 });
    await publisher.sendMany(["a1", "b1", "a2", "b2"]);
    expect((await record.ended).code).toBe(0);
    expect((await read(file)).messages).toEqual([["b1"], ["b2"]]);
  });
});

describe("replay", () => {
  it("is cut short by --count, begins with --from, and goes on and on with --loop", async () => {
    const file = written([1, 2, 3].map((i) => [i, `${i}`]));
    const play = async (...args: string[]) => {
      const { pull, endpoint } = await receiver();
      const { code, err } = await run([
        "replay",
        "push",
        "--connect",
        endpoint,
        "--speed",
        "0",
        ...args,
        file,
      ]);
      expect([code, err]).toEqual([0, ""]);
      const count = pull.stats.receiveQueue;
      return count === 0 ? [] : take(pull, count);
    };
    expect(await play()).toEqual(["1", "2", "3"]);
    expect(await play("--count", "2")).toEqual(["1", "2"]);
    expect(await play("--from", "2")).toEqual(["2", "3"]);
    expect(await play("--from", "3ms")).toEqual(["3"]);
    expect(await play("--from", "2", "--count", "5", "--loop")).toEqual(["2", "3", "2", "3", "2"]);
    const { pull, endpoint } = await receiver();
    const endless = start(["replay", "push", "--connect", endpoint, "--loop", file]);
    expect(await take(pull, 9)).toEqual(["1", "2", "3", "1", "2", "3", "1", "2", "3"]);
    expect((await stopped(endless, "SIGINT")).code).toBe(0);
  });

  it("keeps the times of the recording, and --speed divides them", async () => {
    const file = written([
      [1000, "a"],
      [1200, "b"],
      [1400, "c"],
    ]);
    for (const [speed, least] of [
      ["1", 390],
      ["2", 190],
    ] as const) {
      const { pull, endpoint } = await receiver();
      const replay = start(["replay", "push", "--connect", endpoint, "--speed", speed, file]);
      const [first] = await take(pull, 1);
      const began = performance.now();
      expect([first, ...(await take(pull, 2))]).toEqual(["a", "b", "c"]);
      expect(performance.now() - began).toBeGreaterThan(least - 40); // the first may have been on its way for some time
      expect((await replay.ended).code).toBe(0);
    }
  });

  it("a recording without its end is sent as far as it is whole, which is told; a damaged one fails there", async () => {
    const file = written([1, 2, 3].map((i) => [i, `message ${i}`]));
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.subarray(0, -3));
    const one = await receiver();
    const cut = await run(["replay", "push", "--connect", one.endpoint, file]);
    expect(cut.code).toBe(0);
    expect(cut.err).toContain(`${file}: it ends in the middle of message 3, at byte`);
    expect(await take(one.pull, 2)).toEqual(["message 1", "message 2"]);
    bytes[bytes.length - 3] ^= 1;
    writeFileSync(file, bytes);
    const two = await receiver();
    const damaged = await run(["replay", "push", "--connect", two.endpoint, "--speed", "0", file]);
    expect(damaged).toMatchObject({
      code: 1,
      err: expect.stringMatching(/message 3, at byte \d+, is damaged/),
    });
    writeFileSync(file, "no recording, but a text that is long enough");
    const none = await run(["replay", "push", "--connect", two.endpoint, file]);
    expect(none).toMatchObject({
      code: 1,
      err: expect.stringContaining(`${file}: it is no recording of zwire`),
    });
  });

  it("goes through pipes: record to standard output, replay from standard input", async () => {
    const record = start(["record", "pull", "--bind", ANY, "--count", "3", "-"]);
    const { pull, endpoint } = await receiver();
    const replay = start(["replay", "push", "--connect", endpoint, "-"]);
    record.child
      .stdout!.setEncoding("latin1")
      .on("data", (text) => replay.child.stdin!.write(text, "latin1"));
    record.child.once("close", () => replay.child.stdin!.end());
    const push = managed(new Push());
    push.connect(await record.endpoint());
    await push.sendMany(["1", ["2", "two"], "3"]);
    expect(await take(pull, 3)).toEqual(["1", "2,two", "3"]);
    expect((await record.ended).code).toBe(0);
    expect((await replay.ended).code).toBe(0);
  });

  it("without a receiver, --timeout is code 3, and a signal ends what waits", async () => {
    const file = written([[0, "a"]]);
    const bound = ["replay", "push", "--bind", ANY];
    expect((await run([...bound, "--timeout", "100", file])).code).toBe(3);
    const pub = ["replay", "pub", "--bind", ANY];
    expect((await run([...pub, "--timeout", "100", file])).code).toBe(3);
    const waiting = start([...bound, file]);
    await waiting.endpoint();
    expect((await stopped(waiting)).code).toBe(143);
    const idle = start([...bound, "-"]); // standard input stays open
    await idle.endpoint();
    expect((await stopped(idle, "SIGINT")).code).toBe(130);
  });

  it("a subscriber that comes first gets the first message", async () => {
    const file = written([
      [0, "a"],
      [0, "b"],
    ]);
    const replay = start(["replay", "pub", "--bind", ANY, file]);
    const subscriber = managed(new Subscriber());
    subscriber.subscribe();
    subscriber.connect(await replay.endpoint());
    expect(texts(await subscriber.receive({ timeout: 20_000 }))).toEqual(["a"]);
    expect((await replay.ended).code).toBe(0);
  });
});

it.each([
  [["record", "req", "--bind", ANY, "f"], "The type of socket must be one of sub,"],
  [["record", "push", "--bind", ANY, "f"], 'got "push"'],
  [["record", "dish", "--bind", ANY, "/tmp/no-such-folder-here/f"], "no such file or directory"],
  [["record", "pull", "--bind", ANY], "Give 2 arguments"],
  [["record", "pull", "f"], "--bind or --connect"],
  [["replay", "rep", "--bind", ANY, "f"], "The type of socket must be one of pub,"],
  [["replay", "push", "--bind", ANY, "--speed", "-1", "f"], "--speed must be a number of at least 0"],
  [["replay", "push", "--bind", ANY, "--from", "0", "f"], "--from must be the number of a message"],
  [["replay", "push", "--bind", ANY, "--loop", "-"], "--loop needs a file"],
  [["replay", "push", "--bind", ANY, "/no/such/file"], "no such file"],
])("%j fails and says why", async (args, text) => {
  const { code, err, out } = await run(args);
  expect(code).not.toBe(0);
  expect(out).toBe("");
  expect(err).toContain(text);
  expect(existsSync("f")).toBe(false);
});
