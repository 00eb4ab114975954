/** jszmq, ZeroMQ in JavaScript over WebSockets (ZWS 2.0 without a mechanism), as a client in Node. */
import * as jszmq from "jszmq";
import { describe, expect, it, onTestFinished } from "vitest";
import { Publisher, Pull, Push, Reply, Request, Router, XPublisher } from "../../src/index.js";
import { managed, texts, within } from "../support/helpers.js";

type Foreign = ReturnType<typeof jszmq.socket>;

function foreign(type: Parameters<typeof jszmq.socket>[0], endpoint: string): Foreign {
  const socket = jszmq.socket(type);
  onTestFinished(() => socket.close());
  socket.connect(endpoint);
  return socket;
}

/** The next message of a jszmq socket. */
function next(socket: Foreign): Promise<string[]> {
  const message = new Promise<string[]>((resolve) =>
    socket.once("message", (...parts: Uint8Array[]) => resolve(texts(parts))),
  );
  return within(message, "a message");
}

describe("jszmq", () => {
  it("req asks a Reply, and dealer a Router", async () => {
    const [reply, router] = [managed(new Reply()), managed(new Router())];
    const req = foreign("req", await reply.bind("ws://127.0.0.1:*/rep"));
    req.send(Buffer.from("question"));
    expect(texts(await reply.receive())).toEqual(["question"]);
    const answer = next(req);
    await reply.send("answer");
    expect(await answer).toEqual(["answer"]);
    const dealer = foreign("dealer", await router.bind("ws://127.0.0.1:*"));
    dealer.send([Buffer.from("a"), Buffer.from(""), Buffer.alloc(70_000, "b")]);
    const [id, ...parts] = await router.receive();
    expect(texts(parts)).toEqual(["a", "", "b".repeat(70_000)]);
    const back = next(dealer);
    await router.send([id, "c", "d"]);
    expect(await back).toEqual(["c", "d"]);
  });

  it("push feeds a Pull, and pull a Push: 3000 messages in order", async () => {
    const [pull, push] = [managed(new Pull()), managed(new Push())];
    const feeder = foreign("push", await pull.bind("ws://127.0.0.1:*"));
    for (let i = 0; i < 3000; i++) feeder.send(Buffer.from(String(i)));
    for (let i = 0; i < 3000; i++)
      expect(String((await pull.receive({ timeout: 20_000 }))[0])).toBe(String(i));
    const eater = foreign("pull", await push.bind("ws://127.0.0.1:*"));
    const eaten: string[] = [];
    const all = new Promise<void>((resolve) =>
      eater.on("message", (part: Uint8Array) => {
        eaten.push(String(part));
        if (eaten.length === 3000) resolve();
      }),
    );
    for (let i = 0; i < 3000; i++) await push.send(String(i));
    await within(all, "3000 messages");
    expect(eaten).toEqual(Array.from({ length: 3000 }, (_, i) => String(i)));
  });

  it("sub gets what it subscribed to, and its subscriptions reach an XPublisher", async () => {
    const [publisher, xpublisher] = [managed(new Publisher()), managed(new XPublisher())];
    const sub = foreign("sub", await publisher.bind("ws://127.0.0.1:*")) as unknown as jszmq.Sub;
    sub.subscribe("news");
    await publisher.waitForSubscribers(1, { timeout: 20_000 });
    const message = next(sub as unknown as Foreign);
    await publisher.send(["weather", "1"]);
    await publisher.send(["news", "2"]);
    expect(await message).toEqual(["news", "2"]);
    const other = foreign("sub", await xpublisher.bind("ws://127.0.0.1:*")) as unknown as jszmq.Sub;
    other.subscribe("topic");
    expect(texts(await xpublisher.receive({ timeout: 20_000 }))).toEqual(["\x01topic"]);
  });

  it("a server of jszmq is dialled, too", async () => {
    const rep = jszmq.socket("rep") as unknown as jszmq.Rep & Foreign;
    const port = 20_000 + (process.pid % 20_000);
    rep.bind(`ws://127.0.0.1:${port}/`);
    onTestFinished(() => rep.close());
    rep.on("message", (part: Uint8Array) => rep.send(Buffer.from(`${part}!`)));
    const request = managed(new Request({ reconnectInterval: 20 }));
    request.connect(`ws://127.0.0.1:${port}/`);
    expect(texts(await request.request("hey", { timeout: 20_000 }))).toEqual(["hey!"]);
  });
});
