/**
 * Single behaviours that only show between two implementations: names of peers, probes, subscriptions and their ends,
 * long topics, welcome messages, chains of forwarders, reconnection. The peers are libzmq through zeromq.js, in this
 * process.
 */
import { describe, expect, it, onTestFinished } from "vitest";
import * as zmq from "zeromq";
import {
  Dealer,
  Pair,
  Reply,
  Request,
  Router,
  Stream,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "../../src/index.js";
import { managed, record, TRANSPORTS, texts, until } from "../support/helpers.js";
import { greeting, ready } from "../support/raw-peer.js";

const ANY = "tcp://127.0.0.1:*";
const soon = { timeout: 5000 };

/** A libzmq socket that does not linger, does not wait for ever, and goes away when the test ends. */
function foreign<T extends zmq.Socket>(socket: T): T {
  for (const [name, value] of [
    ["linger", 0],
    ["receiveTimeout", 5000],
    ["sendTimeout", 5000],
    ["reconnectInterval", 10],
  ] as const) {
    if (name in socket) (socket as unknown as Record<string, number>)[name] = value;
  }
  onTestFinished(() => socket.close());
  return socket;
}

/** Binds a libzmq socket to a free port. */
async function bound<T extends zmq.Socket>(socket: T): Promise<string> {
  await socket.bind(ANY);
  return socket.lastEndpoint as string;
}

/** Parts as text, of either library. */
const read = async (socket: { receive(): Promise<Buffer[]> }): Promise<string[]> =>
  texts(await socket.receive());

describe("names of peers", () => {
  it.each(["x", "a name", "n".repeat(255)])(
    "C11 I3 our routingId %j is what libzmq's ROUTER sees",
    async (id) => {
      const router = foreign(new zmq.Router());
      const endpoint = await bound(router);
      for (const socket of [
        new Dealer({ routingId: id }),
        new Request({ routingId: id }),
        new Router({ routingId: id }),
      ]) {
        managed(socket);
        if (socket instanceof Router) socket.connect(endpoint, { routingId: "libzmq" });
        else socket.connect(endpoint);
        await socket.send(socket instanceof Router ? ["libzmq", "hello"] : "hello");
        const expected = socket instanceof Request ? [id, "", "hello"] : [id, "hello"];
        expect(await read(router)).toEqual(expected);
        await router.send([...expected.slice(0, -1), "back"]);
        const answer = await socket.receive(soon);
        expect(texts(answer)).toEqual(socket instanceof Router ? ["libzmq", "back"] : ["back"]);
        const events = record(socket);
        await socket.close();
        await events.next("end");
        await gone(router, id);
      }
    },
  );

  /** Waits until libzmq's ROUTER has noticed that a peer left, so that the next may have its name (I8). */
  async function gone(router: zmq.Router, id: string): Promise<void> {
    router.mandatory = true;
    for (let left = false; !left; ) {
      left = await router.send([id, ""]).then(
        () => false,
        (error) => error.code === "EHOSTUNREACH",
      );
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  it.each(["x", "n".repeat(255)])("C11 I3 libzmq's routingId %j is what our ROUTER sees", async (id) => {
    const router = managed(new Router({ handover: true }));
    const endpoint = await router.bind(ANY);
    const dealer = foreign(new zmq.Dealer({ routingId: id }));
    dealer.connect(endpoint);
    await dealer.send("hello");
    expect(texts(await router.receive(soon))).toEqual([id, "hello"]);
    await router.send([id, "back"]);
    expect(await read(dealer)).toEqual(["back"]);
    const req = foreign(new zmq.Request({ routingId: id }));
    req.connect(endpoint); // takes the name over (I9)
    await req.send("question");
    expect(texts(await router.receive(soon))).toEqual([id, "", "question"]);
    await router.send([id, "", "answer"]);
    expect(await read(req)).toEqual(["answer"]);
    expect(router.peers.find((peer) => peer.socketType === "REQ")?.routingId.toString()).toBe(id);
  });

  it("C14 a peer without a name gets five octets beginning with zero, from both", async () => {
    const ours = managed(new Router());
    const theirs = foreign(new zmq.Router());
    const a = foreign(new zmq.Dealer());
    const b = managed(new Dealer());
    a.connect(await ours.bind(ANY));
    b.connect(await bound(theirs));
    await Promise.all([a.send("x"), b.send("x")]);
    for (const [id] of [await ours.receive(soon), await theirs.receive()]) {
      expect([id.length, id[0]]).toEqual([5, 0]);
    }
  });

  it("C13 a libzmq peer whose name begins with zero is refused, and others are served", async () => {
    const router = managed(new Router());
    const events = record(router);
    const endpoint = await router.bind(ANY);
    const forged = foreign(new zmq.Dealer());
    forged.setStringOption(5, Buffer.from([0, 1, 2, 3, 4]));
    forged.connect(endpoint);
    await events.next("handshake:error:protocol");
    const dealer = foreign(new zmq.Dealer({ routingId: "good" }));
    dealer.connect(endpoint);
    await dealer.send("hello");
    expect(texts(await router.receive(soon))).toEqual(["good", "hello"]);
  });

  it("I11 a ROUTER that names its peer reaches libzmq's ROUTER at once, and the other way round", async () => {
    const theirs = foreign(new zmq.Router({ routingId: "theirs" }));
    const ours = managed(new Router({ routingId: "ours" }));
    ours.connect(await bound(theirs), { routingId: "a libzmq" });
    await ours.send(["a libzmq", "1"]);
    expect(await read(theirs)).toEqual(["ours", "1"]);

    const named = managed(new Router({ routingId: "named" }));
    const dialling = foreign(new zmq.Router({ routingId: "dialling" }));
    dialling.connect(await named.bind(ANY), { routingId: "a zwire" });
    await dialling.send(["a zwire", "2"]);
    expect(texts(await named.receive(soon))).toEqual(["dialling", "2"]);
  });
});

describe("probes", () => {
  it.each(["DEALER", "REQ", "ROUTER"])(
    "I14 our %s with probeRouter makes itself known to libzmq's ROUTER",
    async (type) => {
      const router = foreign(new zmq.Router());
      const options = { routingId: "prober", probeRouter: true };
      const socket = managed(
        type === "DEALER" ? new Dealer(options) : type === "REQ" ? new Request(options) : new Router(options),
      );
      socket.connect(await bound(router));
      expect(await read(router)).toEqual(["prober", ""]);
    },
  );

  it.each(["DEALER", "REQ", "ROUTER"])(
    "I14 libzmq's %s with probeRouter makes itself known to our ROUTER",
    async (type) => {
      const router = managed(new Router());
      const options = { routingId: "prober", probeRouter: true };
      const socket = foreign(
        type === "DEALER"
          ? new zmq.Dealer(options)
          : type === "REQ"
            ? new zmq.Request(options)
            : new zmq.Router(options),
      );
      socket.connect(await router.bind(ANY));
      expect(texts(await router.receive(soon))).toEqual(["prober", ""]);
    },
  );

  it("I14 a probe goes from the accepting side too", async () => {
    const ours = managed(new Router({ probeRouter: true }));
    const dealer = foreign(new zmq.Dealer());
    dealer.connect(await ours.bind(ANY));
    expect(await read(dealer)).toEqual([""]);
    const theirs = foreign(new zmq.Router({ probeRouter: true }));
    const probed = managed(new Dealer());
    probed.connect(await bound(theirs));
    void theirs.receive().catch(() => {}); // a bound libzmq socket acts only inside its calls
    expect(texts(await probed.receive(soon))).toEqual([""]);
  });
});

describe("ROUTER with mandatory", () => {
  it("I4 I5 a full libzmq DEALER holds the send back, nothing is lost, and one that left is not reachable", async () => {
    const router = managed(new Router({ mandatory: true, sendHighWaterMark: 5 }));
    const events = record(router);
    const dealer = foreign(new zmq.Dealer({ routingId: "d", receiveHighWaterMark: 5 }));
    await expect(router.send(["d", "early"])).rejects.toMatchObject({ code: "EHOSTUNREACH" });
    dealer.connect(await router.bind(ANY));
    await events.next("handshake");
    const body = Buffer.alloc(65536);
    let sent = 0;
    for (let full = false; !full; ) {
      full = await router.send(["d", String(sent), body], { timeout: 100 }).then(
        () => ++sent < 0,
        (error) => error.code === "EAGAIN",
      );
    }
    expect(sent).toBeGreaterThan(5);
    for (let i = 0; i < sent; i++) {
      const [number, octets] = await dealer.receive();
      expect([String(number), octets.length]).toEqual([String(i), body.length]);
    }
    await router.send(["d", "room again"], soon);
    expect(await read(dealer)).toEqual(["room again"]);
    dealer.close();
    await events.next("disconnect");
    await expect(router.send(["d", "late"])).rejects.toMatchObject({ code: "EHOSTUNREACH" });
  });

  it("I4 libzmq's ROUTER reaches our DEALER until it leaves", async () => {
    const router = foreign(new zmq.Router({ mandatory: true }));
    const dealer = managed(new Dealer({ routingId: "d" }));
    dealer.connect(await bound(router));
    await dealer.send("hello");
    expect(await read(router)).toEqual(["d", "hello"]);
    await router.send(["d", "back"]);
    expect(texts(await dealer.receive(soon))).toEqual(["back"]);
    await dealer.close();
    const refusal = async () =>
      router.send(["d", "late"]).then(
        () => null,
        (error) => error.code,
      );
    let code = await refusal();
    for (let i = 0; code === null && i < 1000; i++) code = await refusal();
    expect(code).toBe("EHOSTUNREACH");
  });
});

describe("subscriptions of libzmq at our XPUB", () => {
  const next = async (xpub: XPublisher): Promise<string> => texts(await xpub.receive(soon)).join("|");

  it("J8 J13 a topic is told when it begins and when it ends, not in between", async () => {
    const xpub = managed(new XPublisher());
    const endpoint = await xpub.bind(ANY);
    const [a, b] = [foreign(new zmq.Subscriber()), foreign(new zmq.Subscriber())];
    for (const sub of [a, b]) sub.connect(endpoint);
    a.subscribe("t", "t");
    expect(await next(xpub)).toBe("\x01t");
    a.unsubscribe("t"); // one of two: libzmq says nothing
    a.subscribe("fence a");
    expect(await next(xpub)).toBe("\x01fence a");
    b.subscribe("t", "fence b");
    expect(await next(xpub)).toBe("\x01fence b");
    a.unsubscribe("t", "fence a");
    expect(await next(xpub)).toBe("\x00fence a"); // b still has t
    b.unsubscribe("t");
    expect(await next(xpub)).toBe("\x00t");
    b.close();
    expect(await next(xpub)).toBe("\x00fence b"); // J15
  });

  it("J14 with allSubs every subscription is told, duplicates of one peer too", async () => {
    const xpub = managed(new XPublisher({ verbosity: "allSubs" }));
    const endpoint = await xpub.bind(ANY);
    const [a, b] = [foreign(new zmq.Subscriber()), foreign(new zmq.Subscriber())];
    for (const sub of [a, b]) sub.connect(endpoint);
    a.subscribe("t", "t", "fence");
    expect([await next(xpub), await next(xpub), await next(xpub)]).toEqual(["\x01t", "\x01t", "\x01fence"]);
    b.subscribe("t", "end");
    expect([await next(xpub), await next(xpub)]).toEqual(["\x01t", "\x01end"]);
    a.unsubscribe("t", "t", "fence");
    expect(await next(xpub)).toBe("\x00fence"); // b still has t
    b.unsubscribe("t");
    expect(await next(xpub)).toBe("\x00t");
  });

  it("J14 with allSubsUnsubs every cancellation is told as well", async () => {
    const xpub = managed(new XPublisher({ verbosity: "allSubsUnsubs" }));
    const endpoint = await xpub.bind(ANY);
    const [a, b] = [foreign(new zmq.Subscriber()), foreign(new zmq.Subscriber())];
    for (const sub of [a, b]) sub.connect(endpoint);
    a.subscribe("t");
    expect(await next(xpub)).toBe("\x01t");
    b.subscribe("t");
    expect(await next(xpub)).toBe("\x01t");
    a.unsubscribe("t");
    expect(await next(xpub)).toBe("\x00t");
    b.unsubscribe("t");
    expect(await next(xpub)).toBe("\x00t");
  });

  it.each([245, 246, 300, 70_000])(
    "F1 a topic of %i octets is told whole, matches and is cancelled",
    async (length) => {
      const xpub = managed(new XPublisher());
      const topic = Buffer.alloc(length, "0123456789abcdef-");
      const sub = foreign(new zmq.Subscriber());
      sub.connect(await xpub.bind(ANY));
      sub.subscribe(topic);
      expect(await xpub.receive(soon)).toEqual([Buffer.concat([Buffer.of(1), topic])]);
      await xpub.send(topic.subarray(0, -1));
      await xpub.send([topic, "body"]);
      expect(await sub.receive()).toEqual([topic, Buffer.from("body")]);
      sub.unsubscribe(topic);
      expect(await xpub.receive(soon)).toEqual([Buffer.concat([Buffer.of(0), topic])]);
    },
  );

  it("J23 the welcome message is the first, to those that subscribed to it, again after a reconnect", async () => {
    const xpub = managed(new XPublisher({ welcomeMessage: "W elcome" }));
    const events = record(xpub);
    const endpoint = await xpub.bind(ANY);
    const [asked, other] = [foreign(new zmq.Subscriber()), foreign(new zmq.Subscriber())];
    asked.subscribe("W", "news");
    other.subscribe("news");
    for (const sub of [asked, other]) sub.connect(endpoint);
    for (let i = 0; i < 2; i++) await xpub.receive(soon); // W and news
    await events.next("handshake", 2);
    await until(() => xpub.peers.length === 2, "both are there");
    expect(await read(asked)).toEqual(["W elcome"]);
    const both = Promise.all([read(asked), read(other)]);
    // Until the second subscription to news, which is not told, has come as well.
    const timer = setInterval(() => void xpub.send("news"), 5);
    expect(await both).toEqual([["news"], ["news"]]);
    clearInterval(timer);
    await xpub.unbind(endpoint);
    await xpub.bind(endpoint);
    let message = await read(asked);
    while (message[0] === "news") message = await read(asked);
    expect(message).toEqual(["W elcome"]);
  });
});

describe("our subscriptions at libzmq's XPUB", () => {
  it.each([245, 246, 300, 70_000])(
    "F1 F2 a topic of %i octets arrives whole, matches and is cancelled",
    async (length) => {
      const xpub = foreign(new zmq.XPublisher());
      const topic = Buffer.alloc(length, "0123456789abcdef-");
      const sub = managed(new Subscriber());
      sub.connect(await bound(xpub));
      sub.subscribe(topic);
      expect(await xpub.receive()).toEqual([Buffer.concat([Buffer.of(1), topic])]);
      await xpub.send(topic.subarray(0, -1));
      await xpub.send([topic, "body"]);
      expect(await sub.receive(soon)).toEqual([topic, Buffer.from("body")]);
      sub.unsubscribe(topic);
      expect(await xpub.receive()).toEqual([Buffer.concat([Buffer.of(0), topic])]);
    },
  );

  it("J9 J12 J14 XSUB: a verbose XPUB gets each subscription, and one cancellation with the last holder", async () => {
    const xpub = foreign(new zmq.XPublisher());
    xpub.verbosity = "allSubsUnsubs";
    const xsub = managed(new XSubscriber());
    xsub.connect(await bound(xpub));
    await xsub.connected(soon);
    const sent = ["\x01t", "\x01t", "\x00t", "\x01fence 1", "\x00t", "\x00never", "\x01fence 2"];
    for (const topic of sent) await xsub.send(topic);
    const seen: string[] = [];
    while (!seen.includes("\x01fence 2")) seen.push(...(await read(xpub)));
    expect(seen).toEqual(["\x01t", "\x01t", "\x01fence 1", "\x00t", "\x01fence 2"]);
  });

  it("J23 libzmq's welcome message is the first", async () => {
    const xpub = foreign(new zmq.XPublisher());
    xpub.welcomeMessage = "W elcome";
    const sub = managed(new Subscriber());
    sub.subscribe("W", "n");
    sub.connect(await bound(xpub));
    expect((await read(xpub))[0].slice(0, 1)).toBe("\x01");
    await read(xpub);
    await xpub.send("news");
    expect(texts(await sub.receive(soon))).toEqual(["W elcome"]);
    expect(texts(await sub.receive(soon))).toEqual(["news"]);
  });

  it("J16 a message of our XSUB reaches libzmq's XPUB, and the other way round", async () => {
    const theirs = foreign(new zmq.XPublisher());
    const xsub = managed(new XSubscriber());
    xsub.connect(await bound(theirs));
    await xsub.send("\x01");
    expect(await read(theirs)).toEqual(["\x01"]);
    await xsub.send(["up", "stream"]);
    expect([...(await read(theirs))]).toEqual(["up", "stream"]);

    const ours = managed(new XPublisher());
    const dialling = foreign(new zmq.XSubscriber());
    dialling.connect(await ours.bind(ANY));
    await dialling.send(["up", "stream"]);
    expect(texts(await ours.receive(soon))).toEqual(["up", "stream"]);
  });
});

/** Passes messages on, both ways, until the sockets close. */
function forward(front: Router, back: Dealer): void {
  const pump = async (from: Router | Dealer, to: Router | Dealer) => {
    for await (const message of from) await to.send(message);
  };
  for (const pumping of [pump(front, back), pump(back, front)]) pumping.catch(() => {}); // closed by the test
}

describe("chains", () => {
  it.each([1, 2])("H18 libzmq's REQ and REP talk through %i forwarder(s) of ours", async (hops) => {
    const rep = foreign(new zmq.Reply());
    let endpoint = await bound(rep);
    for (let hop = 0; hop < hops; hop++) {
      const back = managed(new Dealer());
      back.connect(endpoint);
      const front = managed(new Router());
      endpoint = await front.bind(ANY);
      forward(front, back);
    }
    const reqs = [1, 2, 3].map(() => foreign(new zmq.Request()));
    for (const req of reqs) req.connect(endpoint);
    const served = (async () => {
      for (let i = 0; i < 300; i++) await rep.send([...(await rep.receive()), "!"]);
    })();
    await Promise.all(
      reqs.map(async (req, who) => {
        for (let i = 0; i < 100; i++) {
          await req.send([`${who}`, "", `${i}`]);
          expect(await read(req)).toEqual([`${who}`, "", `${i}`, "!"]);
        }
      }),
    );
    await served;
  });

  it("H18 our REQ and REP talk through libzmq's proxy", async () => {
    const front = new zmq.Router();
    const back = new zmq.Dealer();
    const proxy = new zmq.Proxy(front, back);
    const [asked, answering] = [await bound(front), await bound(back)];
    const running = proxy.run();
    onTestFinished(async () => {
      proxy.terminate();
      await running;
    });
    const rep = managed(new Reply());
    rep.connect(answering);
    const req = managed(new Request());
    req.connect(asked);
    for (let i = 0; i < 100; i++) {
      await req.send([`${i}`, ""]);
      expect(texts(await rep.receive(soon))).toEqual([`${i}`, ""]);
      await rep.send(["", `${i}`]);
      expect(texts(await req.receive(soon))).toEqual(["", `${i}`]);
    }
  });
});

describe("reconnection", () => {
  it("G3 our DEALER keeps its queue over the restart of a libzmq ROUTER, and its name", async () => {
    const first = new zmq.Router({ linger: 0, receiveTimeout: 5000 });
    const endpoint = await bound(first);
    const dealer = managed(new Dealer({ routingId: "d", reconnectInterval: 10 }));
    const events = record(dealer);
    dealer.connect(endpoint);
    await dealer.send("1");
    expect(await read(first)).toEqual(["d", "1"]);
    await first.unbind(endpoint);
    first.close();
    await events.next("disconnect");
    await dealer.send("2");
    await dealer.send("3");
    const second = foreign(new zmq.Router());
    await second.bind(endpoint);
    expect([await read(second), await read(second)]).toEqual([
      ["d", "2"],
      ["d", "3"],
    ]);
    await second.send(["d", "back"]);
    expect(texts(await dealer.receive(soon))).toEqual(["back"]);
  });

  it("I8 a libzmq DEALER that dials our ROUTER again has its name again", async () => {
    const router = managed(new Router({ mandatory: true }));
    const events = record(router);
    const endpoint = await router.bind(ANY);
    const dealer = foreign(new zmq.Dealer({ routingId: "d" }));
    dealer.connect(endpoint);
    for (let round = 1; round <= 3; round++) {
      await events.next("handshake", round);
      await router.send(["d", `down ${round}`]);
      expect(await read(dealer)).toEqual([`down ${round}`]);
      await dealer.send(`up ${round}`);
      expect(texts(await router.receive(soon))).toEqual(["d", `up ${round}`]);
      await router.unbind(endpoint);
      await router.bind(endpoint);
    }
  });

  it("L3 L4 PAIR: either side may come back", async () => {
    const ours = managed(new Pair({ reconnectInterval: 10 }));
    const events = record(ours);
    const first = new zmq.Pair({ linger: 0, receiveTimeout: 5000 });
    const endpoint = await bound(first);
    ours.connect(endpoint);
    await ours.send("1");
    expect(await read(first)).toEqual(["1"]);
    await first.unbind(endpoint);
    first.close();
    await events.next("disconnect");
    await ours.send("2");
    const second = foreign(new zmq.Pair());
    await second.bind(endpoint);
    expect(await read(second)).toEqual(["2"]);

    const listening = managed(new Pair());
    const address = await listening.bind(ANY);
    const dialling = foreign(new zmq.Pair());
    dialling.connect(address);
    for (const text of ["a", "b"]) {
      await dialling.send(text);
      expect(texts(await listening.receive(soon))).toEqual([text]);
      await listening.unbind(address);
      await listening.bind(address);
    }
  });

  it("J10 our XSUB subscribes again at a libzmq XPUB that came back, each topic once", async () => {
    const first = new zmq.XPublisher({ linger: 0, receiveTimeout: 5000 });
    const endpoint = await bound(first);
    const xsub = managed(new XSubscriber({ reconnectInterval: 10 }));
    const events = record(xsub);
    xsub.connect(endpoint);
    await xsub.connected(soon);
    for (const topic of ["\x01a", "\x01b", "\x01b", "\x01gone", "\x00gone"]) await xsub.send(topic);
    for (let topic = ""; topic !== "\x00gone"; ) [topic] = await read(first);
    await first.unbind(endpoint);
    first.close();
    await events.next("disconnect");
    const second = foreign(new zmq.XPublisher());
    second.verbosity = "allSubs";
    await second.bind(endpoint);
    const topics = [await read(second), await read(second)].flat().sort();
    expect(topics).toEqual(["\x01a", "\x01b"]);
    await xsub.send("\x01fence");
    expect(await read(second)).toEqual(["\x01fence"]);
  });

  it("J15 libzmq's SUB that leaves and comes back is told twice", async () => {
    const xpub = managed(new XPublisher());
    const endpoint = await xpub.bind(ANY);
    const sub = foreign(new zmq.Subscriber());
    sub.subscribe("t");
    sub.connect(endpoint);
    expect(texts(await xpub.receive(soon))).toEqual(["\x01t"]);
    const again = read(sub); // libzmq subscribes anew only inside a call of its socket
    await xpub.unbind(endpoint);
    await xpub.bind(endpoint);
    expect(texts(await xpub.receive(soon))).toEqual(["\x00t"]);
    expect(texts(await xpub.receive(soon))).toEqual(["\x01t"]);
    await xpub.send("t again");
    expect(await again).toEqual(["t again"]);
  });
});

it("J15 what a libzmq SUB had asked for ends when we disconnect from it", async () => {
  const xpub = managed(new XPublisher());
  const sub = foreign(new zmq.Subscriber());
  sub.subscribe("t");
  const endpoint = await bound(sub);
  sub.receive().catch(() => {}); // a bound libzmq socket acts only inside its calls
  xpub.connect(endpoint);
  expect(texts(await xpub.receive(soon))).toEqual(["\x01t"]);
  xpub.disconnect(endpoint);
  expect(texts(await xpub.receive(soon))).toEqual(["\x00t"]);
});

describe("STREAM", () => {
  const READY = ready("DEALER", [["Identity", ""]]);
  const HELLO = Buffer.from("\x00\x05hello");

  /** The octets of one connection; what it reads beyond those asked for is kept. */
  class Octets {
    id: Buffer | null = null;
    #stream: { receive(): Promise<Buffer[]> };
    #rest = Buffer.alloc(0);

    constructor(stream: { receive(): Promise<Buffer[]> }) {
      this.#stream = stream;
    }

    async next(count: number): Promise<Buffer> {
      while (this.#rest.length < count) {
        const [from, chunk] = await this.#stream.receive();
        this.id ??= from;
        expect(from).toEqual(this.id);
        this.#rest = Buffer.concat([this.#rest, chunk]);
      }
      const octets = this.#rest.subarray(0, count);
      this.#rest = this.#rest.subarray(count);
      return octets;
    }
  }

  it.each([
    ["our STREAM sees libzmq's DEALER", true],
    ["libzmq's STREAM sees our DEALER", false],
  ])("M7 A6 %s: greeting, READY and frames octet for octet", async (_title, oursListens) => {
    const stream = oursListens ? managed(new Stream({ receiveTimeout: 5000 })) : foreign(new zmq.Stream());
    const dealer = oursListens ? foreign(new zmq.Dealer()) : managed(new Dealer({ receiveTimeout: 5000 }));
    await stream.bind(ANY);
    dealer.connect(stream.lastEndpoint as string);
    const octets = new Octets(stream);
    const signature = await octets.next(10);
    const id = octets.id as Buffer;
    expect([id.length, id[0]]).toEqual([5, 0]);
    expect([signature[0], signature[9]]).toEqual([0xff, 0x7f]);
    const ours = greeting();
    await stream.send([id, ours.subarray(0, 10)]);
    expect(await octets.next(1)).toEqual(Buffer.of(3));
    await stream.send([id, ours.subarray(10)]);
    const rest = await octets.next(53);
    expect([rest[0], rest.subarray(1, 21).toString("latin1"), rest[21]]).toEqual([
      1,
      "NULL".padEnd(20, "\0"),
      0,
    ]);
    expect(rest.subarray(22)).toEqual(Buffer.alloc(31));
    expect(await octets.next(READY.length)).toEqual(READY);
    await stream.send([id, ready("ROUTER")]);
    await dealer.send("hello");
    expect(await octets.next(HELLO.length)).toEqual(HELLO);
    await stream.send([id, HELLO]);
    expect(await read(dealer)).toEqual(["hello"]);
  });

  it.each(TRANSPORTS.filter(({ name }) => name !== "inproc"))(
    "M2 M4 over $name each side is told when the other ends the connection",
    async ({ endpoint }) => {
      for (const oursListens of [true, false]) {
        const ours = managed(new Stream({ receiveTimeout: 5000 }));
        const theirs = foreign(new zmq.Stream());
        const [listening, dialling] = oursListens ? [ours, theirs] : [theirs, ours];
        await listening.bind(endpoint());
        dialling.connect(listening.lastEndpoint as string, { routingId: "named" });
        const [id, notice] = await listening.receive();
        expect(notice.length).toBe(0);
        expect(await read(dialling)).toEqual(["named", ""]);
        await dialling.send(["named", "octets"]);
        expect(await listening.receive()).toEqual([id, Buffer.from("octets")]);
        await listening.send([id, ""]);
        // libzmq closes the connection only inside a call of its socket.
        if (!oursListens) listening.receive().catch(() => {});
        expect(await read(dialling)).toEqual(["named", ""]);
      }
    },
  );
});
