/**
 * Who leaves an iteration while it waits takes nothing along: the next message, event or item goes to whoever asks next.
 * `zwire`, `zwire/zeromq` and the streams of `zwire/rpc`.
 */
import { Readable } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import { Pull, Push } from "../../src/index.js";
import { connect, serve } from "../../src/rpc.js";
import * as zmq from "../../src/zeromq.js";
import { managed, texts, until, within } from "../support/helpers.js";

let names = 0;
const endpoint = (): string => `inproc://leaving-${names++}`;
const DONE = { value: undefined, done: true };

/** A receiving socket of either entry, and what sends to it. */
interface Pair {
  readonly pull: AsyncIterable<Buffer[]> & { receive(): Promise<Buffer[]> };
  readonly push: { send(text: string): Promise<void> };
}

const ENTRIES: Record<string, () => Promise<Pair>> = {
  zwire: async () => {
    const [pull, push] = [managed(new Pull()), managed(new Push())];
    push.connect(await pull.bind(endpoint()));
    return { pull, push };
  },
  "zwire/zeromq": async () => {
    const [pull, push] = [new zmq.Pull(), new zmq.Push({ linger: 0 })];
    onTestFinished(() => {
      pull.close();
      push.close();
    });
    await pull.bind("tcp://127.0.0.1:*");
    push.connect(pull.lastEndpoint as string);
    return { pull: pull as unknown as Pair["pull"], push };
  },
};

describe.each(Object.entries(ENTRIES))("messages of %s", (_entry, make) => {
  it("Readable.from(socket) that is destroyed while it waits leaves the next message to receive()", async () => {
    const { pull, push } = await make();
    const stream = Readable.from(pull);
    const first = new Promise<Buffer[]>((resolve) => stream.once("data", resolve));
    await push.send("streamed");
    expect(texts(await within(first, "the first"))).toEqual(["streamed"]);
    await closed(stream);
    await push.send("kept");
    expect(texts(await within(pull.receive(), "the next"))).toEqual(["kept"]);
  });

  it("Readable.from(socket, { signal }) likewise when the signal aborts", async () => {
    const { pull, push } = await make();
    const controller = new AbortController();
    const stream = Readable.from(pull, { signal: controller.signal });
    stream.on("error", () => {}).resume();
    await new Promise((resolve) => setImmediate(resolve));
    const ended = new Promise((resolve) => stream.once("close", resolve));
    controller.abort();
    await within(ended, "the stream closes");
    await push.send("kept");
    expect(texts(await within(pull.receive(), "the next"))).toEqual(["kept"]);
  });

  it("a step that waits ends when another leaves the loop, and the message goes to the next receive", async () => {
    const { pull, push } = await make();
    const iterator = pull[Symbol.asyncIterator]();
    const waiting = iterator.next();
    expect(await iterator.return?.()).toEqual(DONE);
    expect(await within(waiting, "the step")).toEqual(DONE);
    const received = pull.receive();
    await push.send("kept");
    expect(texts(await within(received, "the message"))).toEqual(["kept"]);
    expect(await iterator.next()).toEqual(DONE);
  });

  it("break leaves what follows to the next loop", async () => {
    const { pull, push } = await make();
    const seen: string[] = [];
    for (const text of ["a", "b", "c"]) await push.send(text);
    for (let loops = 0; loops < 3; loops++) {
      for await (const message of pull) {
        seen.push(...texts(message));
        break;
      }
    }
    expect(seen).toEqual(["a", "b", "c"]);
  });
});

async function closed(stream: Readable): Promise<void> {
  const ended = new Promise((resolve) => stream.once("close", resolve));
  stream.destroy();
  await within(ended, "the stream closes");
}

describe("events", () => {
  it("of zwire: a loop that is left while it waits leaves the next event to receive()", async () => {
    const pull = managed(new Pull());
    const stream = Readable.from(pull.events).resume();
    await new Promise((resolve) => setImmediate(resolve));
    await closed(stream);
    await pull.bind(endpoint());
    expect((await within(pull.events.receive(), "the event")).type).toBe("bind");
  });

  it("of zwire: one loop that is left takes nothing from another", async () => {
    const pull = managed(new Pull());
    const [left, stays] = [pull.events[Symbol.asyncIterator](), pull.events[Symbol.asyncIterator]()];
    const [waits, waitsOn] = [left.next(), stays.next()];
    expect(await left.return?.()).toEqual(DONE);
    expect(await within(waits, "the step")).toEqual(DONE);
    await pull.bind(endpoint());
    expect((await within(waitsOn, "the event")).value).toMatchObject({ type: "bind" });
  });

  it("of zwire/zeromq: a loop that is left while it waits leaves the next event to receive()", async () => {
    const pull = new zmq.Pull();
    onTestFinished(() => pull.close());
    const stream = Readable.from(pull.events as AsyncIterable<zmq.Event>).resume();
    await new Promise((resolve) => setImmediate(resolve));
    await closed(stream);
    await pull.bind("tcp://127.0.0.1:*");
    expect((await within(pull.events.receive(), "the event")).type).toBe("bind");
  });
});

it("a stream of zwire/rpc that is left while it waits ends at once, and at the server", async () => {
  let ends = 0;
  const never = new Promise<void>(() => {});
  async function* one(rest: Promise<void> | undefined): AsyncGenerator<number> {
    try {
      for (let i = 0; ; i++) {
        yield i;
        await rest;
      }
    } finally {
      ends++;
    }
  }
  await using server = await serve("tcp://127.0.0.1:*", {
    quiet: () => one(never),
    counts: () => one(undefined),
  });
  await using api = connect<Record<"quiet" | "counts", () => AsyncIterable<number>>>(server.endpoint);
  const quiet = api.quiet()[Symbol.asyncIterator]();
  expect(await quiet.next()).toEqual({ value: 0, done: false });
  const waiting = quiet.next();
  await quiet.return?.();
  expect(await within(waiting, "the step")).toEqual(DONE);
  const stream = Readable.from(api.counts());
  await within(new Promise((resolve) => stream.once("data", resolve)), "an item");
  await closed(stream);
  await until(() => ends > 0, "the generator that can end has ended");
});
