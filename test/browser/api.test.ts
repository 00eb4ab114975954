/** What a program in a page can rely on: calls, time limits, iteration, events, inproc, closing, and what is refused. */
import { expect, it } from "vitest";
import { Pull, Reply, Router } from "../../src/index.js";
import { inBrowser } from "../support/browser/page.js";
import { managed, texts, until } from "../support/helpers.js";

inBrowser("zwire/web in a page", (tests) => {
  it("request() answers, gives up after its timeout and on abort, and the socket can ask again", async () => {
    const router = managed(new Router());
    router.on("message", ([peer, empty, question]) => {
      if (String(question) !== "silence") router.send([peer, empty, `re: ${question}`]);
    });
    const endpoint = await router.bind({ server: tests.pages.server, path: "/ask" });
    const page = await tests.open();
    const said = await page.evaluate(async (endpoint) => {
      const request = new zwire.Request();
      request.connect(endpoint);
      const asks = async (question: string, options: object): Promise<string> => {
        try {
          return zwire.text((await request.request(question, options))[0]);
        } catch (error) {
          return `${(error as Error).name} ${(error as { code?: string }).code}`;
        }
      };
      const out = [await asks("one", { timeout: 20_000 }), await asks("silence", { timeout: 50 })];
      const abort = new AbortController();
      setTimeout(() => abort.abort(), 50); // by the clock: nothing tells the page that the question has gone out
      out.push(await asks("silence", { signal: abort.signal }), await asks("two", { timeout: 20_000 }));
      await request.close();
      return out;
    }, endpoint);
    expect(said).toEqual(["re: one", "ZmqError EAGAIN", expect.stringMatching(/^AbortError /), "re: two"]);
  });

  it("receive() takes a timeout and an AbortSignal; a closed socket says EBADF", async () => {
    const page = await tests.open();
    const said = await page.evaluate(async () => {
      const pull = new zwire.Pull();
      const outcome = (promise: Promise<unknown>) =>
        promise.then(
          () => "a message",
          (error) => `${error.name} ${error.code}`,
        );
      const out = [await outcome(pull.receive({ timeout: 20 }))];
      const waiting = outcome(pull.receive({ signal: AbortSignal.timeout(20) }));
      out.push(await waiting);
      const last = outcome(pull.receive());
      await pull.close();
      out.push(await last, await outcome(pull.receive()));
      return out;
    });
    expect(said).toEqual([
      "ZmqError EAGAIN",
      expect.stringMatching(/^TimeoutError /),
      "ZmqError EBADF",
      "ZmqError EBADF",
    ]);
  });

  it("request() asks again when no answer comes in time, and hears no late one", async () => {
    const reply = managed(new Reply());
    const endpoint = await reply.bind({ server: tests.pages.server, path: "/late" });
    const page = await tests.open();
    let asked = 0;
    reply.on("message", async ([question]) => {
      const number = ++asked;
      if (number === 1) await until(() => left > 0, "the page gives the first try up");
      await reply.send(`${question} ${number}`);
    });
    let left = 0;
    reply.on("disconnect", () => left++);
    const said = await page.evaluate(async (endpoint) => {
      const request = new zwire.Request();
      request.connect(endpoint);
      const [answer] = await request.request("q", { timeout: 500, retries: 100 });
      await request.close();
      return zwire.text(answer);
    }, endpoint);
    expect(Number(/^q (\d+)$/.exec(said)?.[1])).toBeGreaterThan(1);
  });

  it("parts are Uint8Arrays; text() and json() read them; strings, numbers, bytes and null can be sent", async () => {
    const reply = managed(new Reply());
    reply.on("message", (parts) => reply.send(parts));
    const endpoint = await reply.bind({ server: tests.pages.server, path: "/echo" });
    const page = await tests.open();
    const said = await page.evaluate(async (endpoint) => {
      const request = new zwire.Request();
      request.connect(endpoint);
      const parts = await request.request(
        [
          "Grüße 🙂",
          JSON.stringify({ a: [1, null] }),
          12.5,
          null,
          new Uint16Array([1, 2]),
          new Uint8Array([255]),
        ],
        { timeout: 20_000 },
      );
      await request.close();
      return {
        bytes: parts.every((part) => part instanceof Uint8Array),
        text: zwire.text(parts[0]),
        json: zwire.json(parts[1]),
        rest: parts.slice(2).map((part) => [...part]),
        wrong: await request.request("x").catch((error) => error.code),
      };
    }, endpoint);
    expect(said).toEqual({
      bytes: true,
      text: "Grüße 🙂",
      json: { a: [1, null] },
      rest: [[...Buffer.from("12.5")], [], [1, 0, 2, 0], [255]],
      wrong: "EBADF",
    });
  });

  it("a loop over a socket ends with it, `break` leaves it open, and an Observer and listeners see the same events", async () => {
    const pull = managed(new Pull());
    const endpoint = await pull.bind({ server: tests.pages.server, path: "/events" });
    const page = await tests.open();
    const said = await page.evaluate(async (endpoint) => {
      const push = new zwire.Push();
      const listened: string[] = [];
      const observed: string[] = [];
      push.on("connect", ({ type }) => listened.push(type));
      push.on("handshake", ({ type }) => listened.push(type));
      const observer = push.events;
      const observing = (async () => {
        for await (const { type } of observer) {
          observed.push(type);
          if (type === "handshake") break;
        }
      })();
      push.connect(endpoint);
      await push.send("x");
      await observing;
      const inside = new zwire.Pull();
      await inside.bind("inproc://loop");
      const other = new zwire.Push();
      other.connect("inproc://loop");
      await other.sendMany(["1", "2", "3"]);
      const got: string[] = [];
      for await (const [part] of inside) {
        got.push(zwire.text(part));
        if (got.length === 2) break;
      }
      got.push(zwire.text((await inside.receive())[0]));
      const rest = (async () => {
        let count = 0;
        for await (const _ of inside) count++;
        return count;
      })();
      await inside.close();
      const count = await rest;
      await Promise.all([push.close(), other.close({ linger: 0 })]);
      return { listened, observed, got, count };
    }, endpoint);
    expect(said).toEqual({
      listened: ["connect", "handshake"],
      observed: expect.arrayContaining(["connect", "handshake"]),
      got: ["1", "2", "3"],
      count: 0,
    });
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["x"]);
  });

  it("sockets of one page talk over inproc, in any order of bind and connect", async () => {
    const page = await tests.open();
    const said = await page.evaluate(async () => {
      const [publisher, subscriber] = [new zwire.Publisher(), new zwire.Subscriber()];
      subscriber.subscribe("a");
      subscriber.connect("inproc://news");
      await publisher.bind("inproc://news");
      await publisher.waitForSubscribers(1, { timeout: 5000 });
      await publisher.send(["b", "no"]);
      await publisher.send(["a", "yes"]);
      const parts = await subscriber.receive({ timeout: 5000 });
      const taken = await new zwire.Publisher().bind("inproc://news").catch((error) => error.code);
      const elsewhere = new zwire.Publisher({ context: new zwire.Context() });
      const other = await elsewhere.bind("inproc://news").then(() => "free");
      await Promise.all([publisher.close(), subscriber.close(), elsewhere.close()]);
      return [...parts.map((part) => zwire.text(part)), taken, other];
    });
    expect(said).toEqual(["a", "yes", "EADDRINUSE", "free"]);
  });

  it("close() waits for what was not sent, as long as `linger` says", async () => {
    const pull = managed(new Pull());
    const endpoint = await pull.bind({ server: tests.pages.server, path: "/linger" });
    const page = await tests.open({ failures: true });
    const said = await page.evaluate(async (endpoint) => {
      const push = new zwire.Push();
      push.connect(endpoint);
      const sent = push.sendMany(Array.from({ length: 500 }, (_, i) => String(i)));
      await sent;
      await push.close();
      const nowhere = new zwire.Push();
      nowhere.connect("ws://127.0.0.1:9/");
      await nowhere.send("lost");
      const began = performance.now();
      await nowhere.close({ linger: 200 });
      return performance.now() - began;
    }, endpoint);
    for (let i = 0; i < 500; i++) expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual([String(i)]);
    expect(said).toBeGreaterThan(150);
    expect(said).toBeLessThan(5000);
  });

  it("what a page cannot do is refused by name: bind, other schemes, unknown options and those of servers", async () => {
    const page = await tests.open();
    const said = await page.evaluate(async () => {
      const attempt = (call: () => unknown): string => {
        try {
          call();
          return "nothing";
        } catch (error) {
          const { code } = error as { code?: string };
          return `${(error as Error).constructor.name} ${code ?? ""}: ${(error as Error).message}`;
        }
      };
      const pull = new zwire.Pull();
      const refusals = {
        bind: await pull.bind("ws://127.0.0.1:0/").catch((error) => `${error.code}: ${error.message}`),
        server: await pull.bind({ server: {}, path: "/" } as never).catch((error) => error.code),
        sync: attempt(() => pull.bindSync("wss://*:1/")),
        tcp: attempt(() => pull.connect("tcp://127.0.0.1:1")),
        ipc: attempt(() => pull.connect("ipc://x")),
        address: attempt(() => pull.connect("ws://127.0.0.1:1/#part")),
        port: attempt(() => pull.connect("ws://127.0.0.1:99999/")),
        unknown: attempt(() => new zwire.Push({ sendHighWaterMrk: 1 } as object)),
        tls: attempt(() => new zwire.Push({ tls: {} } as object)),
        keepalive: attempt(() => new zwire.Push({ tcpKeepalive: 1 } as object)),
        shared: attempt(() => new zwire.Subscriber({ sharedMemory: false } as object)),
        authenticate: attempt(() => new zwire.Reply({ authenticate: () => true } as object)),
        wrong: attempt(() => new zwire.Pull({ receiveHighWaterMark: -1 })),
        other: attempt(() => new zwire.Pull({ sendHighWaterMark: 1 } as object)),
        plainServer: attempt(() =>
          new zwire.Push({ security: { mechanism: "plain", server: true } } as object).connect(
            "ws://127.0.0.1:1/",
          ),
        ),
        curveServer: attempt(() =>
          new zwire.Push({
            security: { mechanism: "curve", server: true, secretKey: new Uint8Array(32).fill(7) },
          } as object).connect("ws://127.0.0.1:1/"),
        ),
        property: "tls" in pull,
      };
      await pull.close();
      return refusals;
    });
    expect(said).toEqual({
      bind: expect.stringMatching(/^ENOTSUP: .*a page cannot listen/),
      server: "ENOTSUP",
      sync: expect.stringMatching(/^ZmqError ENOTSUP: .*a page cannot listen/),
      tcp: expect.stringMatching(/^ZmqError EPROTONOSUPPORT/),
      ipc: expect.stringMatching(/^ZmqError EPROTONOSUPPORT/),
      address: expect.stringMatching(/^ZmqError EINVAL/),
      port: expect.stringMatching(/^ZmqError EINVAL/),
      unknown: expect.stringMatching(/^TypeError : Push has no option "sendHighWaterMrk"/),
      tls: expect.stringMatching(/^TypeError : Push has no option "tls"/),
      keepalive: expect.stringMatching(/^TypeError : Push has no option "tcpKeepalive"/),
      shared: expect.stringMatching(/^TypeError : Subscriber has no option "sharedMemory"/),
      authenticate: expect.stringMatching(/^TypeError : Reply has no option "authenticate"/),
      wrong: expect.stringMatching(/^RangeError : receiveHighWaterMark/),
      other: expect.stringMatching(/^TypeError : Pull has no option "sendHighWaterMark"/),
      plainServer: expect.stringMatching(/^ZmqError ENOTSUP: /),
      curveServer: expect.stringMatching(/^ZmqError /),
      property: false,
    });
  });

  it("marks, counters, trySend and tryReceive are those of Node", async () => {
    const pull = managed(new Pull());
    const endpoint = await pull.bind({ server: tests.pages.server, path: "/stats" });
    const page = await tests.open();
    const said = await page.evaluate(async (endpoint) => {
      const push = new zwire.Push({ sendHighWaterMark: 2 });
      const before = push.trySend("no peer");
      push.connect(endpoint);
      await push.connected({ timeout: 20_000 });
      const sent = push.trySend("x");
      await push.send("y");
      const { stats } = push;
      const line = String(push);
      const mark = push.sendHighWaterMark;
      await push.close();
      return { before, sent, mark, line, closed: push.closed, messages: stats.messagesSent };
    }, endpoint);
    expect(said).toMatchObject({ before: false, sent: true, mark: 2, closed: true });
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["x"]);
  });

  it("a listener that throws is an error of the page, and the socket goes on", async () => {
    const pull = managed(new Pull());
    const endpoint = await pull.bind({ server: tests.pages.server, path: "/throws" });
    const page = await tests.open();
    const said = await page.evaluate(async (endpoint) => {
      const errors: string[] = [];
      interface Failure {
        readonly error?: unknown;
        readonly reason?: unknown;
        preventDefault(): void;
      }
      const page = globalThis as unknown as {
        addEventListener(name: string, listener: (event: Failure) => void): void;
      };
      for (const name of ["error", "unhandledrejection"]) {
        page.addEventListener(name, (event) => {
          errors.push(String(event.error ?? event.reason));
          event.preventDefault();
        });
      }
      const push = new zwire.Push();
      push.on("handshake", () => {
        throw new Error("a fault of the program");
      });
      push.connect(endpoint);
      await push.send("on it goes");
      await push.close();
      return errors;
    }, endpoint);
    expect(said).toEqual(["Error: a fault of the program"]);
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["on it goes"]);
  });

  it("a module worker has sockets of its own, and inproc names of its own", async () => {
    const reply = managed(new Reply());
    reply.on("message", ([question]) => reply.send(`re: ${question}`));
    const endpoint = await reply.bind({ server: tests.pages.server, path: "/worker" });
    const page = await tests.open();
    const said = await page.evaluate(async (endpoint) => {
      const program = `
        import { Pull, Request, text } from "${new URL("/web.js", (globalThis as unknown as { location: { href: string } }).location.href)}";
        const pull = new Pull();
        await pull.bind("inproc://name");
        const request = new Request();
        request.connect("${endpoint}");
        const [answer] = await request.request("from a worker", { timeout: 20000 });
        await Promise.all([request.close(), pull.close()]);
        postMessage(text(answer));`;
      const url = URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
      interface PageWorker {
        onmessage: (event: { data: string }) => void;
        onerror: (event: { message: string }) => void;
        terminate(): void;
      }
      const { Worker } = globalThis as unknown as {
        Worker: new (url: string, options: { type: "module" }) => PageWorker;
      };
      const pull = new zwire.Pull();
      await pull.bind("inproc://name");
      const worker = new Worker(url, { type: "module" });
      const answer = await new Promise<string>((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
      });
      worker.terminate();
      await pull.close();
      return answer;
    }, endpoint);
    expect(said).toBe("re: from a worker");
  });
});
