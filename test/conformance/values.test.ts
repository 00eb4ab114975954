/** Values in place of bytes: the last part of a message. */
import { describe, expect, expectTypeOf, it } from "vitest";
import {
  CodecError,
  Dealer,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  Subscriber,
  withCodec,
} from "../../src/index.js";
import { managed, texts, turns, until, within } from "../support/helpers.js";

interface Order {
  readonly name: string;
  readonly list: readonly (number | null)[];
}
const ORDER: Order = { name: "zwölf", list: [1, -5, 3.25, null] };

async function pair(): Promise<{ push: Push; pull: Pull }> {
  const [push, pull] = [managed(new Push()), managed(new Pull())];
  push.connect(await pull.bind("tcp://127.0.0.1:*"));
  return { push, pull };
}

describe.each(["json", "msgpack"] as const)("%s", (codec) => {
  it("values come back as they were, in order from the first call on", async () => {
    const { push, pull } = await pair();
    const [out, into] = [withCodec(push, codec), withCodec(pull, codec)];
    const values = [ORDER, "text", 0, 2 ** 40, true, null, {}, { deep: { er: [[]] } }];
    await Promise.all(values.map((value) => out.send(value)));
    await out.send([[1, 2, 3]]);
    const got: unknown[] = [];
    for await (const [value] of into) {
      got.push(value);
      if (got.length === values.length + 1) break;
    }
    expect(got).toEqual([...values, [1, 2, 3]]);
  });

  it("what stands before the value stays bytes: topics, names", async () => {
    const [publisher, subscriber] = [managed(new Publisher()), managed(new Subscriber())];
    subscriber.subscribe("price");
    publisher.connect(await subscriber.bind("tcp://127.0.0.1:*"));
    await publisher.connected();
    const [out, into] = [withCodec(publisher, codec), withCodec(subscriber, codec)];
    const received = into.receive();
    let arrived = false;
    void received.then(() => {
      arrived = true;
    });
    await until(async () => {
      await out.send(["price", ORDER]);
      return arrived;
    }, "the subscription");
    const [topic, value] = await received;
    expect([String(topic), value]).toEqual(["price", ORDER]);

    const [router, dealer] = [managed(new Router()), managed(new Dealer({ routingId: "dealer" }))];
    dealer.connect(await router.bind("tcp://127.0.0.1:*"));
    const [here, there] = [withCodec(router, codec), withCodec(dealer, codec)];
    await there.send(["", ORDER]);
    const [id, delimiter, order] = await here.receive(); // typed as the head or the value
    expect([String(id), String(delimiter), order]).toEqual(["dealer", "", ORDER]);
    await here.send([id as Uint8Array, { answer: 1 }]);
    expect(await there.receive()).toEqual([{ answer: 1 }]);
  });

  it("request() and an answer", async () => {
    const [request, reply] = [managed(new Request()), managed(new Reply())];
    request.connect(await reply.bind("tcp://127.0.0.1:*"));
    const [ask, answer] = [withCodec<Order, Request>(request, codec), withCodec<Order, Reply>(reply, codec)];
    void answer.receive().then(([order]) => answer.send({ ...order, name: "again" }));
    const [value] = await ask.request(ORDER);
    expect(value).toEqual({ ...ORDER, name: "again" });
  });

  it("what cannot be decoded rejects with a CodecError that has the message", async () => {
    const { push, pull } = await pair();
    await push.send(["head", Buffer.from([0xc1, 0xff])]);
    const failed = withCodec(pull, codec).receive();
    await expect(failed).rejects.toBeInstanceOf(CodecError);
    const error: CodecError = await failed.catch((reason) => reason);
    expect(error).toMatchObject({ code: "EBADMSG", name: "CodecError" });
    expect(error.message).toMatch(/^the last part of a message, of 2 bytes, is no (JSON|msgpack): /);
    expect(error.parts[1]).toEqual(Buffer.from([0xc1, 0xff]));
    expect(error.cause).toBeInstanceOf(Error);
  });

  it("or goes to `invalid`, and the next message comes", async () => {
    const { push, pull } = await pair();
    const bad: string[] = [];
    const into = withCodec(pull, codec, { invalid: ({ parts }) => bad.push(texts(parts)[0]) });
    const out = withCodec(push, codec);
    await push.send(["1", Buffer.from([0xc1])]);
    await out.send("a");
    expect(await into.receive()).toEqual(["a"]);
    await push.send(["2", Buffer.from([0xc1])]);
    await out.send("b");
    for await (const [value] of into) {
      expect(value).toBe("b");
      break;
    }
    expect(bad).toEqual(["1", "2"]);
  });

  it("a value that it cannot turn rejects, and nothing is sent", async () => {
    const { push, pull } = await pair();
    const out = withCodec(push, codec);
    await expect(out.send(() => {})).rejects.toThrow(TypeError);
    await out.send("next");
    expect(await withCodec(pull, codec).receive()).toEqual(["next"]);
  });
});

it("an iteration that is left while it waits takes no message along", async () => {
  const { push, pull } = await pair();
  const into = withCodec(pull, "json");
  const iteration = into[Symbol.asyncIterator]();
  const step = iteration.next();
  await turns(2);
  await iteration.return!();
  expect(await within(step, "the step")).toEqual({ value: undefined, done: true });
  await withCodec(push, "json").send("kept");
  expect(await within(into.receive(), "the message")).toEqual(["kept"]);
});

it("msgpack: an array that claims four billion elements takes no memory", async () => {
  const { push, pull } = await pair();
  await push.send(Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff]));
  await expect(withCodec(pull, "msgpack").receive()).rejects.toBeInstanceOf(CodecError);
});

it("a codec of the program, and types", async () => {
  const { push, pull } = await pair();
  const dates = {
    encode: (date: Date) => date.toISOString(),
    decode: (part: Uint8Array) => new Date(String(part)),
  };
  const [out, into] = [withCodec(push, dates), withCodec(pull, dates)];
  expectTypeOf(into.receive).returns.resolves.toEqualTypeOf<[value: Date]>();
  // @ts-expect-error a Push does not receive
  expect(out.receive).toBeUndefined();
  // @ts-expect-error a Pull does not send
  expect(into.send).toBeUndefined();
  await out.send(new Date(0));
  const [date] = await into.receive();
  expect(date).toEqual(new Date(0));
  expect([out.socket, into.socket]).toEqual([push, pull]);
});

it.each([
  ["no socket", () => withCodec({} as Push, "json"), /socket/],
  ["a name that no codec has", () => withCodec(managed(new Push()), "xml" as "json"), /codec must be/],
  ["half a codec", () => withCodec(managed(new Push()), { encode: String } as never), /codec must be/],
  ["an unknown option", () => withCodec(managed(new Push()), "json", { bad() {} } as never), /"bad"/],
  [
    "an option of another type",
    () => withCodec(managed(new Push()), "json", { invalid: 1 } as never),
    /invalid/,
  ],
])("refused: %s", (_what, call, text) => {
  expect(call).toThrow(TypeError);
  expect(call).toThrow(text);
});
