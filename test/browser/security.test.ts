/** Who may talk to whom: mechanisms, types, metadata, origins. */
import { expect, it, onTestFinished } from "vitest";
import {
  type AuthenticationRequest,
  curveKeyPair,
  Dealer,
  Publisher,
  Pull,
  Push,
  Reply,
  z85Encode,
} from "../../src/index.js";
import { inBrowser, Pages } from "../support/browser/page.js";
import { managed, record, texts } from "../support/helpers.js";

/** In the page: dials with a Dealer, and resolves to the first of these events as text. */
function outcome({ endpoint, options }: { endpoint: string; options?: object }): Promise<string> {
  const dealer = new zwire.Dealer({ reconnectInterval: 0, ...options });
  return new Promise((resolve) => {
    for (const type of [
      "handshake",
      "handshake:error:auth",
      "handshake:error:protocol",
      "handshake:error:other",
      "close",
    ] as const) {
      dealer.on(type, (event) => {
        resolve(`${type} ${"error" in event ? event.error : ""}`.trim());
        dealer.close({ linger: 0 });
      });
    }
    dealer.connect(endpoint);
  });
}

/** In the page: a question by a Dealer. */
async function question({ endpoint, options }: { endpoint: string; options: object }): Promise<string> {
  const dealer = new zwire.Dealer(options);
  dealer.connect(endpoint);
  await dealer.send("question");
  const [answer] = await dealer.receive({ timeout: 20_000 });
  await dealer.close();
  return zwire.text(answer);
}

function answering(options: object): Dealer {
  const dealer = managed(new Dealer(options));
  dealer.on("message", () => dealer.send("answer"));
  return dealer;
}

inBrowser("who may talk to a page, and to whom it may", (tests) => {
  it("PLAIN: the right password is let in, a wrong one told to both sides", async () => {
    const dealer = answering({
      plainServer: true,
      authenticate: (asked: AuthenticationRequest) =>
        asked.mechanism === "PLAIN" && asked.password === "secret" && asked.username,
    });
    const events = record(dealer);
    const endpoint = await dealer.bind({ server: tests.pages.server, path: "/plain" });
    const page = await tests.open();
    const right = { plainUsername: "ann", plainPassword: "secret" };
    expect(await page.evaluate(question, { endpoint, options: right })).toBe("answer");
    const wrong = { ...right, plainPassword: "guess" };
    expect(await page.evaluate(outcome, { endpoint, options: wrong })).toMatch(/^handshake:error:auth /);
    await events.next("handshake:error:auth");
    expect((await events.next("handshake")).peer?.metadata.get("User-Id")?.toString()).toBe("ann");
  });

  it("a page without a mechanism is not let in to a server with one, and hears that there is no connection", async () => {
    const dealer = answering({ plainServer: true, authenticate: () => true });
    const events = record(dealer);
    const endpoint = await dealer.bind({ server: tests.pages.server, path: "/plain" });
    const page = await tests.open({ failures: true });
    const told = await page.evaluate((endpoint) => {
      const pull = new zwire.Dealer({ reconnectInterval: 0 });
      return new Promise<string>((resolve) => {
        pull.on("close", () => resolve("close"));
        pull.on("connect:retry", ({ error }) => resolve(String(error)));
        pull.connect(endpoint);
      }).finally(() => pull.close({ linger: 0 }));
    }, endpoint);
    expect(told).toBe("close");
    expect(String((await events.next("accept:error")).error)).toMatch(/must list one of ZWS2.0-PLAIN/);
  });

  it("CURVE: with the server's key it is encrypted in the page; with another key both sides are told", async () => {
    const [server, other] = [curveKeyPair(), curveKeyPair()];
    const dealer = answering({
      curveServer: true,
      curveSecretKey: server.secretKey,
      authenticate: () => true,
    });
    const events = record(dealer);
    const endpoint = await dealer.bind({ server: tests.pages.server, path: "/curve" });
    const page = await tests.open();
    const loaded = (): Promise<number> =>
      page.evaluate(
        () =>
          performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("/web-curve.js"))
            .length,
      );
    expect(await loaded()).toBe(0);
    const keys = await page.evaluate(async () => {
      await zwire.loadCurve();
      const { publicKey, secretKey } = zwire.curveKeyPair();
      return { publicKey, secretKey, same: zwire.curvePublicKey(secretKey) === publicKey };
    });
    expect(await loaded()).toBe(1);
    expect(keys).toMatchObject({ same: true, publicKey: expect.stringMatching(/^.{40}$/) });
    const options = { curveSecretKey: keys.secretKey, curveServerKey: server.publicKey };
    expect(await page.evaluate(question, { endpoint, options })).toBe("answer");
    await events.next("handshake");
    const wrong = { ...options, curveServerKey: other.publicKey };
    expect(await page.evaluate(outcome, { endpoint, options: wrong })).toMatch(/^handshake:error:/);
    expect(events.of("handshake:error:").length).toBeGreaterThan(0);
  });

  it("CURVE: megabytes go both ways, and the server chooses whom it lets in by the page's key", async () => {
    const server = curveKeyPair();
    const page = await tests.open();
    const keys = await page.evaluate(async () => {
      await zwire.loadCurve();
      return zwire.curveKeyPair();
    });
    const dealer = managed(
      new Dealer({
        curveServer: true,
        curveSecretKey: server.secretKey,
        authenticate: (asked) => asked.mechanism === "CURVE" && z85Encode(asked.publicKey) === keys.publicKey,
      }),
    );
    const endpoint = await dealer.bind({ server: tests.pages.server, path: "/curve" });
    const echoed = page.evaluate(
      async ({ endpoint, curveSecretKey, curveServerKey }) => {
        const dealer = new zwire.Dealer({ curveSecretKey, curveServerKey });
        dealer.connect(endpoint);
        const body = Uint8Array.from({ length: 1024 * 1024 }, (_, i) => i % 251);
        await dealer.send([body, "end"]);
        const [back, end] = await dealer.receive({ timeout: 20_000 });
        const stranger = zwire.curveKeyPair();
        const bad = new zwire.Dealer({
          security: { mechanism: "curve", secretKey: stranger.secretKey, serverKey: curveServerKey },
          reconnectInterval: 0,
        });
        const refused = new Promise<string>((resolve) =>
          bad.on("handshake:error:auth", () => resolve("refused")),
        );
        bad.connect(endpoint);
        const told = await refused.finally(() => bad.close({ linger: 0 }));
        await dealer.close();
        return [back.length, back.every((byte, i) => byte === i % 251), zwire.text(end), told];
      },
      { endpoint, curveSecretKey: keys.secretKey, curveServerKey: server.publicKey },
    );
    await dealer.send(await dealer.receive({ timeout: 20_000 }));
    expect(await echoed).toEqual([1024 * 1024, true, "end", "refused"]);
  });

  it("the first use of a key before loadCurve() says what to do", async () => {
    const page = await tests.open();
    const said = await page.evaluate((curveServerKey) => {
      const attempt = (call: () => unknown): string => {
        try {
          call();
          return "nothing";
        } catch (error) {
          return String(error);
        }
      };
      const options = { curveServerKey, curveSecretKey: curveServerKey };
      return [
        attempt(() => zwire.curveKeyPair()),
        attempt(() => new zwire.Push(options).connect("ws://127.0.0.1:1/")),
      ];
    }, curveKeyPair().publicKey);
    for (const text of said) expect(text).toMatch(/^ZmqError: .*await loadCurve\(\)/);
    expect(said).toHaveLength(2);
  });

  it("types that do not belong together are refused with an event on both sides", async () => {
    const push = managed(new Push());
    const events = record(push);
    const endpoint = await push.bind({ server: tests.pages.server, path: "/push" });
    const page = await tests.open();
    const told = await page.evaluate((endpoint) => {
      const push = new zwire.Push({ reconnectInterval: 0 });
      return new Promise<string>((resolve) => {
        push.on("handshake:error:protocol", ({ error }) => resolve(String(error)));
        push.connect(endpoint);
      }).finally(() => push.close({ linger: 0 }));
    }, endpoint);
    expect(told).toMatch(/PUSH/);
    expect(String((await events.next("handshake:error:protocol")).error)).toMatch(/PUSH/);
  });

  it("metadata, routing ids and socket types of both sides are known to the other", async () => {
    const dealer = managed(new Dealer({ metadata: { "X-Server": "node" } }));
    const events = record(dealer);
    const endpoint = await dealer.bind({ server: tests.pages.server, path: "/meta" });
    const page = await tests.open();
    const theirs = await page.evaluate(async (endpoint) => {
      const dealer = new zwire.Dealer({ metadata: { "X-Page": "7" }, routingId: "page-7" });
      dealer.connect(endpoint);
      await dealer.connected({ timeout: 20_000 });
      const [peer] = dealer.peers;
      const server = peer.metadata.get("X-Server");
      return [peer.socketType, server === undefined ? "" : zwire.text(server), peer.endpoint];
    }, endpoint);
    expect(theirs).toEqual(["DEALER", "node", endpoint]);
    const { peer } = await events.next("handshake");
    expect([peer?.socketType, String(peer?.routingId), String(peer?.metadata.get("X-Page"))]).toEqual([
      "DEALER",
      "page-7",
      "7",
    ]);
  });

  it("a page of a foreign origin is refused with 403 and an event that names it; the page only hears that it failed", async () => {
    const { pages } = tests;
    const stranger = await Pages.start();
    onTestFinished(() => stranger.stop());
    const pull = managed(new Pull({ allowedOrigins: [pages.url.slice(0, -1)] }));
    const events = record(pull);
    const endpoint = await pull.bind({ server: pages.server, path: "/mine" });
    const own = await tests.open();
    await own.evaluate(async (endpoint) => {
      const push = new zwire.Push();
      push.connect(endpoint);
      await push.send("from the own page");
      await push.close();
    }, endpoint);
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["from the own page"]);
    const foreign = await tests.open({ url: stranger.url, failures: true });
    const said = await foreign.evaluate((endpoint) => {
      const push = new zwire.Push({ reconnectInterval: 30 });
      return new Promise<string>((resolve) => {
        push.on("connect:retry", ({ error }) => resolve(String(error)));
        push.connect(endpoint);
      }).finally(() => push.close({ linger: 0 }));
    }, endpoint);
    expect(said).toMatch(/no connection \(WebSocket close code 1006\)/);
    const { error } = await events.next("accept:error");
    expect(String(error)).toContain(stranger.url.slice(0, -1));
    expect(pull.peers).toHaveLength(0);
  });

  it("`authenticate` sees the page's origin, cookies and headers, and its answer is the peer's User-Id", async () => {
    const page = await tests.open();
    await page.context().addCookies([{ name: "session", value: "s-1", url: tests.pages.url }]);
    const reply = managed(
      new Reply({
        authenticate: ({ http }) =>
          http?.cookies.session === "s-1" && http.headers.origin === tests.pages.url.slice(0, -1)
            ? "ann"
            : false,
      }),
    );
    const events = record(reply);
    reply.on("message", () => reply.send("hello ann"));
    const endpoint = await reply.bind({ server: tests.pages.server, path: "/session" });
    const answer = await page.evaluate(async (endpoint) => {
      const request = new zwire.Request();
      request.connect(endpoint);
      const [answer] = await request.request("who am I?", { timeout: 20_000 });
      await request.close();
      return zwire.text(answer);
    }, endpoint);
    expect(answer).toBe("hello ann");
    expect(String((await events.next("handshake")).peer?.metadata.get("User-Id"))).toBe("ann");
  });

  it("a message above the page's maxMessageSize closes the connection, and both sides are told", async () => {
    const publisher = managed(new Publisher());
    const events = record(publisher);
    const endpoint = await publisher.bind({ server: tests.pages.server, path: "/large" });
    const page = await tests.open();
    const told = page.evaluate((endpoint) => {
      const subscriber = new zwire.Subscriber({ maxMessageSize: 1000, reconnectInterval: 0 });
      subscriber.subscribe("");
      return new Promise<string>((resolve) => {
        subscriber.on("handshake:error:protocol", ({ error }) => resolve(String(error)));
        subscriber.connect(endpoint);
      }).finally(() => subscriber.close());
    }, endpoint);
    await publisher.waitForSubscribers(1, { timeout: 20_000 });
    await publisher.send(Buffer.alloc(1001));
    expect(await told).toMatch(/a part is larger than maxMessageSize: 1001/);
    expect(String((await events.next("disconnect")).error)).toMatch(/3009/);
  });
});
