/** ws in zwire/zeromq beside the original: the same endpoints, events and messages, between themselves and with each other. */
import { describe, expect, it, onTestFinished } from "vitest";
import * as original from "zeromq";
import * as zwire from "../../src/zeromq.js";
import { until } from "../support/helpers.js";

type Library = typeof zwire;
const LIBRARIES: Record<string, Library> = { zeromq: original as unknown as Library, zwire };
const PAIRS = Object.keys(LIBRARIES).flatMap((server) =>
  Object.keys(LIBRARIES).map((client) => [server, client]),
);

function closing<T extends { close(): void; closed: boolean }>(socket: T): T {
  onTestFinished(() => {
    if (!socket.closed) socket.close();
  });
  return socket;
}

describe.each(PAIRS)("%s binds, %s connects", (server, client) => {
  it("request and reply, and lastEndpoint on both sides", async () => {
    const reply = closing(new LIBRARIES[server].Reply({ linger: 0 }));
    const request = closing(new LIBRARIES[client].Request({ linger: 0, receiveTimeout: 10_000 }));
    await reply.bind("ws://127.0.0.1:*/path");
    expect(reply.lastEndpoint).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/path$/);
    request.connect(reply.lastEndpoint as string);
    expect(request.lastEndpoint).toBe(reply.lastEndpoint);
    await request.send(["question", Buffer.alloc(100_000, 1)]);
    const question = await reply.receive();
    expect([String(question[0]), question[1].length]).toEqual(["question", 100_000]);
    await reply.send("answer");
    expect((await request.receive()).map(String)).toEqual(["answer"]);
    await reply.unbind(reply.lastEndpoint as string);
  });

  it("a subscriber gets its topics", async () => {
    const publisher = closing(new LIBRARIES[server].Publisher({ linger: 0 }));
    const subscriber = closing(new LIBRARIES[client].Subscriber({ receiveTimeout: 10_000 }));
    await publisher.bind("ws://127.0.0.1:*");
    subscriber.connect(publisher.lastEndpoint as string);
    subscriber.subscribe("b");
    const sending = setInterval(() => publisher.send(["b", "topic"]), 20);
    onTestFinished(() => clearInterval(sending));
    expect((await subscriber.receive()).map(String)).toEqual(["b", "topic"]);
  });
});

describe.each(Object.keys(LIBRARIES))("%s", (name) => {
  const library = LIBRARIES[name];

  it("refuses what is not an endpoint, and an address in use", async () => {
    const pull = closing(new library.Pull());
    await expect(pull.bind("ws://127.0.0.1")).rejects.toMatchObject({ code: "EINVAL" });
    expect(() => closing(new library.Push({ linger: 0 })).connect("ws://localhost/x")).toThrow(
      expect.objectContaining({ code: "EINVAL" }),
    );
    await pull.bind("ws://127.0.0.1:*");
    await expect(closing(new library.Pull()).bind(pull.lastEndpoint as string)).rejects.toMatchObject({
      code: "EADDRINUSE",
      address: pull.lastEndpoint,
    });
  });

  it("tells of connections by events", async () => {
    const pull = closing(new library.Pull());
    const push = closing(new library.Push({ linger: 0 }));
    const seen = new Set<string>();
    for (const socket of [pull, push]) {
      (async () => {
        for await (const { type } of socket.events) seen.add(type);
      })();
    }
    await pull.bind("ws://127.0.0.1:*");
    push.connect(pull.lastEndpoint as string);
    await push.send("x");
    await pull.receive();
    const expected = ["accept", "bind", "connect", "handshake"];
    await until(() => expected.every((type) => seen.has(type)), `${expected}`);
  });
});
