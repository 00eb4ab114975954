/** `perMessageDeflate`: RFC 7692 over ws, between zwire peers, with the package ws, and as a browser asks for it. */
import { connect, createServer } from "node:net";
import { deflateRawSync, constants as zlib } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { Dealer, Pair, Pull, Push, Router } from "../../src/index.js";
import { managed, record, texts, until } from "../support/helpers.js";
import { frame, RawWebSocket, ready } from "../support/raw-websocket.js";
import { CURVE } from "../support/scripted/secured.js";

const AGREED = "permessage-deflate; client_no_context_takeover; server_no_context_takeover";
const EXTENSIONS = "Sec-WebSocket-Extensions";
/** Gets much smaller. */
const words = (bytes: number) => Buffer.alloc(bytes, "the quick brown fox jumps over the lazy dog ");

/** A relay between two sockets that counts the bytes to the server and back. */
async function counted(endpoint: string) {
  const bytes = { there: 0, back: 0 };
  const server = createServer((near) => {
    const far = connect(Number(new URL(endpoint.replace("ws", "http")).port), "127.0.0.1");
    near.on("data", (chunk) => (bytes.there += chunk.length)).pipe(far);
    far.on("data", (chunk) => (bytes.back += chunk.length)).pipe(near);
    for (const side of [near, far]) side.on("error", () => {});
    onTestFinished(() => void [near, far].map((side) => side.destroy()));
  });
  await new Promise<void>((heard) => server.listen(0, "127.0.0.1", heard));
  onTestFinished(() => void server.close());
  return { bytes, endpoint: `ws://127.0.0.1:${(server.address() as { port: number }).port}` };
}

/** Two dealers that can both compress, or not, and the bytes between them. */
async function linked(server: object, client: object) {
  const [bound, dialled] = [managed(new Dealer(server)), managed(new Dealer(client))];
  const relay = await counted(await bound.bind("ws://127.0.0.1:*"));
  dialled.connect(relay.endpoint);
  await dialled.connected({ timeout: 20_000 });
  return { bound, dialled, bytes: relay.bytes };
}

/** The extension in the answer to an offer. */
async function answerTo(offer: string, options: object = { perMessageDeflate: true }) {
  const endpoint = await managed(new Pull(options)).bind("ws://127.0.0.1:*");
  const { head } = await RawWebSocket.ask(endpoint, { protocol: "ZWS2.0", headers: { [EXTENSIONS]: offer } });
  expect(head).toMatch(/^HTTP\/1\.1 101 /);
  return /^Sec-WebSocket-Extensions: (.*)$/m.exec(head)?.[1];
}

describe("between zwire peers", () => {
  it("large messages cross compressed, both ways, in order, and small ones as they are", async () => {
    const { bound, dialled, bytes } = await linked({ perMessageDeflate: true }, { perMessageDeflate: true });
    const sizes = [0, 1, 1000, 1023, 1024, 5000, 16_383, 16_384, 70_000, 1_000_000, 3, 200_000, 2000];
    const messages = sizes.flatMap((size, at) => [[words(size), String(at)], [`${at}`]]);
    for (const [from, to] of [
      [bound, dialled],
      [dialled, bound],
    ]) {
      const sent = messages.map((message) => from.send(message));
      for (const message of messages) {
        const got = await to.receive({ timeout: 20_000 });
        expect(got.length).toBe(message.length);
        expect(got[0].equals(Buffer.from(message[0] as string))).toBe(true);
      }
      await Promise.all(sent);
    }
    const total = sizes.reduce((sum, size) => sum + size);
    expect(bytes.there).toBeLessThan(total / 50);
    expect(bytes.back).toBeLessThan(total / 50);
  });

  it("neither does so if one of them does not, or under CURVE", async () => {
    for (const [server, client] of [
      [{ perMessageDeflate: true }, {}],
      [{}, { perMessageDeflate: true }],
      [
        { ...CURVE.server, perMessageDeflate: true },
        { ...CURVE.client, perMessageDeflate: true },
      ],
    ]) {
      const { bound, dialled, bytes } = await linked(server, client);
      await dialled.send(words(100_000));
      expect((await bound.receive({ timeout: 20_000 }))[0].equals(words(100_000))).toBe(true);
      expect(bytes.there).toBeGreaterThan(100_000);
    }
  });

  it("threshold says from which size on; 0 is every message", async () => {
    for (const [threshold, least, most] of [
      [0, 0, 1500],
      [101, 10_000, 13_000],
      [100, 0, 5000],
    ]) {
      const { bound, dialled, bytes } = await linked(
        { perMessageDeflate: true },
        { perMessageDeflate: { threshold } },
      );
      await dialled.send("first");
      await bound.receive({ timeout: 20_000 });
      const before = bytes.there;
      const size = threshold === 0 ? 20 : 100;
      for (let i = 0; i < 100; i++) await dialled.send(Buffer.alloc(size, "a"));
      for (let i = 0; i < 100; i++)
        expect(String((await bound.receive({ timeout: 20_000 }))[0])).toBe("a".repeat(size));
      expect(bytes.there - before).toBeGreaterThan(least);
      expect(bytes.there - before).toBeLessThan(most);
    }
  });

  it("what does not get smaller goes as it is", async () => {
    const { bound, dialled, bytes } = await linked({ perMessageDeflate: true }, { perMessageDeflate: true });
    const noise = Buffer.alloc(300_000);
    for (let i = 0, x = 1; i < noise.length; i++) {
      x = (x * 1103515245 + 12345) & 0x7fffffff;
      noise[i] = x >> 16;
    }
    await dialled.send(noise);
    expect((await bound.receive({ timeout: 20_000 }))[0].equals(noise)).toBe(true);
    expect(bytes.there).toBeLessThan(noise.length + 2000);
  });

  it("close sends what is still being compressed, and a peer that leaves is heard to the end", async () => {
    const pull = managed(new Pull({ perMessageDeflate: true }));
    const push = new Push({ perMessageDeflate: true });
    push.connect(await pull.bind("ws://127.0.0.1:*"));
    for (let i = 0; i < 20; i++) await push.send([String(i), words(500_000)]);
    await push.close();
    for (let i = 0; i < 20; i++) {
      const [index, body] = await pull.receive({ timeout: 20_000 });
      expect(String(index)).toBe(String(i));
      expect(body.length).toBe(500_000);
    }
  });

  it("a connection that ends while a message is compressed loses nothing", async () => {
    const push = managed(new Push({ perMessageDeflate: true, reconnectInterval: 10 }));
    const first = managed(new Pull({ perMessageDeflate: true }));
    const endpoint = await first.bind("ws://127.0.0.1:*");
    push.connect(endpoint);
    await push.connected({ timeout: 20_000 });
    const sent = push.send(words(8_000_000));
    await first.close({ linger: 0 });
    const second = managed(new Pull({ perMessageDeflate: true }));
    await second.bind(endpoint);
    await sent;
    await push.send("next");
    const got = texts(await second.receive({ timeout: 20_000 }));
    if (got[0] !== "next") expect(got[0].length).toBe(8_000_000);
    else throw new Error("the message was lost");
  });

  // A machine that is busy makes everything late; packing in the event loop would do so each time.
  it("the event loop goes on while a large message is compressed and unpacked", { retry: 4 }, async () => {
    const { bound, dialled } = await linked({ perMessageDeflate: true }, { perMessageDeflate: true });
    const body = words(15_000_000);
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    onTestFinished(() => clearInterval(timer));
    const start = performance.now();
    await dialled.send(body);
    expect((await bound.receive({ timeout: 20_000 }))[0].length).toBe(body.length);
    // It takes some hundred milliseconds in all.
    expect(longest).toBeLessThan((performance.now() - start) / 2);
  });

  it("fragments may be compressed, with pings between them", async () => {
    const pull = managed(new Pull({ perMessageDeflate: true }));
    const endpoint = await pull.bind("ws://127.0.0.1:*");
    const { raw, head } = await RawWebSocket.ask(endpoint, { headers: { [EXTENSIONS]: AGREED } });
    expect(head).toContain(`${EXTENSIONS}: ${AGREED}`);
    await raw.next();
    raw.say(ready("PUSH"));
    const packed = deflateRawSync(Buffer.concat([Buffer.from([0]), words(3000)]), {
      finishFlush: zlib.Z_SYNC_FLUSH,
    }).subarray(0, -4);
    raw.send(
      frame(2, packed.subarray(0, 10), { fin: false, reserved: 0x40 }),
      frame(9, "between"),
      frame(0, packed.subarray(10)),
      frame(2, "\x00not compressed"),
    );
    expect((await pull.receive({ timeout: 20_000 }))[0].equals(words(3000))).toBe(true);
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["not compressed"]);
    expect(await raw.next()).toMatchObject({ opcode: 10, payload: Buffer.from("between") });
  });
});

describe("an offer", () => {
  it.each([
    ["permessage-deflate; client_max_window_bits", AGREED], // what browsers say
    ["permessage-deflate", AGREED],
    [AGREED, AGREED],
    ["permessage-deflate; server_max_window_bits=10", `${AGREED}; server_max_window_bits=10`],
    ['permessage-deflate; server_max_window_bits="12"', `${AGREED}; server_max_window_bits=12`],
    ["permessage-deflate; server_max_window_bits=8, permessage-deflate", AGREED],
    ["x-webkit-deflate-frame, permessage-deflate", AGREED],
    ["permessage-deflate; server_max_window_bits=8", undefined],
    ["permessage-deflate; server_max_window_bits", undefined],
    ["permessage-deflate; server_max_window_bits=16", undefined],
    ["permessage-deflate; client_max_window_bits=7", undefined],
    ["permessage-deflate; client_no_context_takeover=1", undefined],
    ["permessage-deflate; client_no_context_takeover; client_no_context_takeover", undefined],
    ["permessage-deflate; level=9", undefined],
    ["permessage-bzip2", undefined],
    ["; ,=,;;", undefined],
  ])("%s is answered with %s", async (offer, answer) => expect(await answerTo(offer)).toBe(answer));

  it("is not answered by default", async () => {
    expect(await answerTo(AGREED, {})).toBe(undefined);
  });

  it("is not made by default, and is made with the option, but not under CURVE", async () => {
    for (const [options, offered] of [
      [{}, undefined],
      [{ perMessageDeflate: true }, AGREED],
      [{ ...CURVE.client, perMessageDeflate: true }, undefined],
    ] as const) {
      let asked: string | undefined;
      const server = createServer((socket) =>
        socket.once("data", (bytes) => {
          asked = String(bytes);
          socket.destroy();
        }),
      );
      await new Promise<void>((heard) => server.listen(0, "127.0.0.1", heard));
      onTestFinished(() => void server.close());
      const push = managed(new Push(options));
      push.connect(`ws://127.0.0.1:${(server.address() as { port: number }).port}`);
      await until(() => asked !== undefined, "a request");
      expect(/^Sec-WebSocket-Extensions: (.*?)\r?$/m.exec(asked!)?.[1]).toBe(offered);
    }
  });

  it.each([
    ["permessage-deflate", "other parameters"],
    [`${AGREED}; client_max_window_bits=10`, "other parameters"],
    ["permessage-bzip2", "not offered"],
    [`${AGREED}, permessage-bzip2`, "not offered"],
  ])("answered with %s fails the attempt, with an event", async (answer, text) => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "ZWS2.0" });
    onTestFinished(() => void server.close());
    server.on("headers", (headers) => headers.push(`${EXTENSIONS}: ${answer}`));
    await new Promise((heard) => server.once("listening", heard));
    const push = managed(new Push({ perMessageDeflate: true }));
    const events = record(push);
    push.connect(`ws://127.0.0.1:${(server.address() as { port: number }).port}`);
    expect((await events.next("connect:retry")).error!.message).toContain(text);
  });
});

describe("the package ws", () => {
  it.each([true, { threshold: 0, serverNoContextTakeover: true }, { clientMaxWindowBits: 10 }])(
    "as a client with perMessageDeflate %j",
    async (perMessageDeflate) => {
      const router = managed(new Router({ perMessageDeflate: true }));
      const endpoint = await router.bind("ws://127.0.0.1:*");
      const socket = new WebSocket(endpoint, "ZWS2.0", { perMessageDeflate });
      onTestFinished(() => socket.terminate());
      const got: Buffer[] = [];
      socket.on("message", (data: Buffer) => got.push(data));
      await new Promise((open, failed) => socket.once("open", open).once("error", failed));
      expect(socket.extensions).toBe("permessage-deflate");
      socket.send("\x00me", { binary: true });
      const sizes = [10, 2000, 100_000, 1_000_000, 5];
      for (const size of sizes) socket.send(Buffer.concat([Buffer.from([0]), words(size)]));
      for (const size of sizes) {
        const [id, body] = await router.receive({ timeout: 20_000 });
        expect(String(id)).toBe("me");
        expect(body.equals(words(size))).toBe(true);
        await router.send([id, body]);
      }
      await until(() => got.length === sizes.length + 1, "every message");
      expect(got.slice(1).map((message) => message.length - 1)).toEqual(sizes);
      expect(got[4].subarray(1).equals(words(1_000_000))).toBe(true);
    },
  );

  it("as a server with perMessageDeflate", async () => {
    const server = new WebSocketServer({
      port: 0,
      host: "127.0.0.1",
      perMessageDeflate: { threshold: 0 },
      handleProtocols: () => "ZWS2.0",
    });
    onTestFinished(() => void server.close());
    await new Promise((heard) => server.once("listening", heard));
    server.on("connection", (socket) => {
      expect(socket.extensions).toBe("permessage-deflate");
      socket.on("message", (data: Buffer) => socket.send(data, { binary: true }));
    });
    const pair = managed(new Pair({ perMessageDeflate: true }));
    pair.connect(`ws://127.0.0.1:${(server.address() as { port: number }).port}`);
    for (const size of [10, 2000, 100_000, 1_000_000, 5]) {
      await pair.send(words(size));
      expect((await pair.receive({ timeout: 20_000 }))[0].equals(words(size))).toBe(true);
    }
  });
});
