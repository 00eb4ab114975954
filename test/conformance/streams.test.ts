/** Sockets as streams of Node.js and of the Web: back-pressure, the end, and what becomes of messages that nobody has read. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { PassThrough, Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import {
  createDuplex,
  createDuplexStream,
  createReadable,
  createReadableStream,
  createWritable,
  createWritableStream,
  Pair,
  Pull,
  Push,
} from "../../src/index.js";
import { managed, standing, texts, until, within } from "../support/helpers.js";

async function pair(sending = {}, receiving = {}): Promise<{ push: Push; pull: Pull }> {
  const [push, pull] = [managed(new Push(sending)), managed(new Pull(receiving))];
  push.connect(await pull.bind("tcp://127.0.0.1:*"));
  return { push, pull };
}

async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe("node:stream", () => {
  it("pipeline() carries bytes of any size to their end", async () => {
    const { push, pull } = await pair();
    const source = randomBytes(3_000_000);
    const pieces = [0, 1, 70_000, 70_000, 1_500_000].map((at, i, all) => source.subarray(at, all[i + 1]));
    const [got] = await Promise.all([
      bytesOf(createReadable(pull, { end: true })),
      pipeline(Readable.from(pieces, { objectMode: false }), createWritable(push, { end: true })),
    ]);
    expect(got.equals(source)).toBe(true);
    expect([push.closed, pull.closed]).toEqual([false, false]);
  });

  it("objectMode: chunks are whole messages", async () => {
    const { push, pull } = await pair();
    const writable = createWritable(push, { objectMode: true, end: true });
    for (const message of [["a", "b"], "c", ["", ""]]) writable.write(message);
    writable.end();
    const got: string[][] = [];
    for await (const message of createReadable(pull, { objectMode: true, end: true }))
      got.push(texts(message));
    expect(got).toEqual([["a", "b"], ["c"], ["", ""]]);
  });

  it("without `end`, empty chunks are messages, and a closed socket is the end", async () => {
    const { push, pull } = await pair();
    const readable = createReadable(pull, { objectMode: true });
    createWritable(push, { objectMode: true }).write("");
    const [first] = (await once(readable, "data")) as Buffer[][];
    expect(texts(first)).toEqual([""]);
    const ended = once(readable, "end");
    await pull.close();
    await within(ended, "the end");
  });

  it("a message of several parts destroys a stream of bytes", async () => {
    const { push, pull } = await pair();
    await push.send(["a", "b"]);
    await expect(bytesOf(createReadable(pull))).rejects.toThrow(/2 parts.*objectMode/);
  });

  it("a sink that stands still holds the marks", async () => {
    const { push, pull } = await pair({ sendHighWaterMark: 2 }, { receiveHighWaterMark: 2 });
    const chunk = Buffer.alloc(100_000);
    let made = 0;
    const source = new Readable({
      read() {
        made++;
        this.push(chunk);
      },
    });
    const still = new Writable({ highWaterMark: 1, write() {} });
    const writable = source.pipe(createWritable(push));
    const readable = createReadable(pull);
    readable.pipe(still);
    await standing(() => made, "the source stands still", 5);
    // Marks, the stream's own 64 KiB, and what kernels take: some megabytes, and not hundreds.
    expect(made).toBeLessThan(200);
    for (const stream of [source, writable, readable]) stream.destroy();
  });

  it("a stream that is destroyed while it waits leaves the next message to receive()", async () => {
    const { push, pull } = await pair();
    const readable = createReadable(pull);
    readable.resume();
    await turn();
    readable.destroy();
    await push.send("kept");
    expect(texts(await within(pull.receive(), "the message"))).toEqual(["kept"]);
  });

  it("highWaterMark 0 reads nothing ahead", async () => {
    const { push, pull } = await pair();
    for (const text of ["1", "2", "3"]) await push.send(text);
    const readable = createReadable(pull, { highWaterMark: 0 });
    for await (const chunk of readable) {
      expect(String(chunk)).toBe("1");
      break;
    }
    expect([texts(await pull.receive()), texts(await pull.receive())]).toEqual([["2"], ["3"]]);
  });

  it("a signal destroys them with its reason", async () => {
    const { pull } = await pair();
    const controller = new AbortController();
    const readable = createReadable(pull, { signal: controller.signal });
    const failed = once(readable, "error");
    readable.resume();
    controller.abort();
    expect((await failed)[0]).toMatchObject({ name: "AbortError" });
  });

  it("an error of send() is the stream's", async () => {
    const { push } = await pair();
    const writable = createWritable(push);
    await push.close();
    writable.write("late");
    expect((await once(writable, "error"))[0]).toMatchObject({ code: "EBADF" });
  });

  it("createDuplex carries both ways", async () => {
    const [one, other] = [managed(new Pair()), managed(new Pair())];
    one.connect(await other.bind("tcp://127.0.0.1:*"));
    const echo = createDuplex(other, { end: true });
    const echoed = pipeline(echo, new PassThrough(), echo);
    const duplex = createDuplex(one, { end: true });
    duplex.write("to and ");
    duplex.end("fro");
    expect(String(await bytesOf(duplex))).toBe("to and fro");
    await echoed;
  });
});

describe("streams of the Web", () => {
  it("pipeTo() carries bytes of any size to their end", async () => {
    const { push, pull } = await pair();
    const source = randomBytes(2_000_000);
    const pieces = [source.subarray(0, 10), source.subarray(10, 900_000), source.subarray(900_000)];
    const [got] = await Promise.all([
      bytesOf(createReadableStream(pull, { end: true })),
      new Blob(pieces).stream().pipeTo(createWritableStream(push, { end: true })),
    ]);
    expect(got.equals(source)).toBe(true);
  });

  it("one that is cancelled in the middle loses nothing that was not taken", async () => {
    const { push, pull } = await pair();
    for (let i = 0; i < 100; i++) await push.send(`${i}`);
    const reader = createReadableStream(pull).getReader();
    const taken: string[] = [];
    for (let i = 0; i < 40; i++) taken.push(String(Buffer.from((await reader.read()).value!)));
    const waits = reader.read().catch(() => {});
    taken.push(String(Buffer.from((await waits)!.value!)));
    await reader.cancel();
    const left: string[] = [];
    while (left.length < 59) left.push(texts(await within(pull.receive(), "the rest"))[0]);
    expect([...taken, ...left]).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`));
  });

  it("one that is cancelled while it waits leaves the next message to receive()", async () => {
    const { push, pull } = await pair();
    const reader = createReadableStream(pull).getReader();
    const waits = reader.read();
    await turn();
    await reader.cancel();
    expect(await waits).toEqual({ value: undefined, done: true });
    await push.send("kept");
    expect(texts(await within(pull.receive(), "the message"))).toEqual(["kept"]);
  });

  it("a signal ends them with its reason, and a closed socket is the end", async () => {
    const { pull, push } = await pair();
    const controller = new AbortController();
    const reason = new Error("enough");
    const reader = createReadableStream(pull, { signal: controller.signal }).getReader();
    const waits = reader.read();
    const writer = createWritableStream(push, { signal: controller.signal }).getWriter();
    controller.abort(reason);
    await expect(waits).rejects.toBe(reason);
    await expect(writer.write("late")).rejects.toBe(reason);
    const other = createReadableStream(pull).getReader();
    const end = other.read();
    await pull.close();
    expect(await within(end, "the end")).toEqual({ value: undefined, done: true });
  });

  it("createDuplexStream has both ways", async () => {
    const [one, other] = [managed(new Pair()), managed(new Pair())];
    one.connect(await other.bind("tcp://127.0.0.1:*"));
    const echo = createDuplexStream(other, { end: true });
    const echoed = echo.readable.pipeTo(echo.writable);
    const { readable, writable } = createDuplexStream(one, { end: true });
    const writer = writable.getWriter();
    await writer.write("there and back");
    await writer.close();
    expect(String(await bytesOf(readable))).toBe("there and back");
    await echoed;
  });
});

describe("what is refused", () => {
  it.each([
    ["a socket that does not receive", () => createReadable(new Push() as never), /receives/],
    ["a socket that does not send", () => createWritable(new Pull() as never), /sends/],
    ["an unknown option", () => createReadable(managed(new Pull()), { ends: true } as never), /"ends"/],
    [
      "a highWaterMark of a Web stream",
      () => createReadableStream(managed(new Pull()), { highWaterMark: 1 } as never),
      /"highWaterMark"/,
    ],
    [
      "a flag that is none",
      () => createReadable(managed(new Pull()), { end: 1 } as never),
      /end must be true or false/,
    ],
    [
      "a signal that is none",
      () => createWritable(managed(new Push()), { signal: {} as never }),
      /AbortSignal/,
    ],
  ])("%s", (_what, call, text) => {
    expect(call).toThrow(TypeError);
    expect(call).toThrow(text);
  });
});

describe("messages()", () => {
  it("iterates, ends with the socket, and rejects on abort and in time, losing nothing", async () => {
    const { push, pull } = await pair();
    await push.send("1");
    await push.send("2");
    const seen: string[] = [];
    for await (const message of pull.messages()) {
      seen.push(...texts(message));
      if (seen.length === 1) break;
    }
    const reason = new Error("enough");
    const controller = new AbortController();
    const iteration = pull.messages({ signal: controller.signal });
    seen.push(...texts((await iteration.next()).value!));
    const waits = iteration.next();
    controller.abort(reason);
    await expect(waits).rejects.toBe(reason);
    await expect(pull.messages({ timeout: 1 }).next()).rejects.toMatchObject({ code: "EAGAIN" });
    const left = pull.messages();
    const step = left.next();
    await turn();
    await left.return!();
    expect(await step).toEqual({ value: undefined, done: true });
    await push.send("3");
    seen.push(...texts(await pull.receive()));
    expect(seen).toEqual(["1", "2", "3"]);
    const last = pull.messages().next();
    await pull.close();
    expect(await last).toEqual({ value: undefined, done: true });
  });
});

describe("bind with a signal", () => {
  it("one that has aborted, and one that aborts while it waits, leave nothing bound", async () => {
    const pull = managed(new Pull());
    await expect(
      pull.bind("tcp://127.0.0.1:*", { signal: AbortSignal.abort(new Error("no")) }),
    ).rejects.toThrow("no");
    const controller = new AbortController();
    const bound = pull.bind("tcp://127.0.0.1:*", { signal: controller.signal });
    controller.abort(new Error("changed my mind"));
    await expect(bound).rejects.toThrow("changed my mind");
    const other = managed(new Push());
    await until(() => pull.lastEndpoint !== null, "bound for a moment");
    other.connect(pull.lastEndpoint!);
    const events: string[] = [];
    other.on("connect:retry", () => events.push("retry"));
    await until(() => events.length > 0, "nobody listens");
    expect(await pull.bind("tcp://127.0.0.1:*", { signal: new AbortController().signal })).toMatch(/^tcp:/);
  });
});
