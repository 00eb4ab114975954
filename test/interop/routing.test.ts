/**
 * DEALER, ROUTER, REQ, REP and PAIR with libzmq beside what types.test.ts moves: names of peers, probes, mandatory,
 * chains of forwarders, reconnection.
 */
import { describe, expect, it, onTestFinished } from "vitest";
import * as zmq from "zeromq";
import { Dealer, Pair, Reply, Request, Router } from "../../src/index.js";
import { ANY, bound, foreign, read, soon } from "../support/foreign.js";
import { managed, record, texts, until } from "../support/helpers.js";

/** Options by number are for subclasses in zeromq.js. */
class NamedDealer extends zmq.Dealer {
  setName(id: Buffer): void {
    this.setStringOption(5, id);
  }
}

describe("names of peers", () => {
  it.each(["x", "a name", "n".repeat(255)])(
    "our routingId %j is what libzmq's ROUTER sees (C11, I3)",
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
    const unreachable = () =>
      router.send([id, ""]).then(
        () => false,
        (error) => error.code === "EHOSTUNREACH",
      );
    await until(unreachable, "the peer's leaving");
  }

  it.each(["x", "n".repeat(255)])("libzmq's routingId %j is what our ROUTER sees (C11, I3)", async (id) => {
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

  it("a peer without a name gets five octets beginning with zero, from both (C14)", async () => {
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

  it("a name that begins with zero works both ways with libzmq, as an engine's number or a UUID may (C12, C13)", async () => {
    const id = Buffer.from([0, 0]);
    const ours = managed(new Router({ mandatory: true }));
    const libzmqDealer = foreign(new NamedDealer());
    libzmqDealer.setName(id);
    libzmqDealer.connect(await ours.bind(ANY));
    await libzmqDealer.send("hello");
    expect(await ours.receive(soon)).toEqual([id, Buffer.from("hello")]);
    await ours.send([id, "back"]);
    expect(await read(libzmqDealer)).toEqual(["back"]);

    const theirs = foreign(new zmq.Router({ mandatory: true }));
    const dealer = managed(new Dealer({ routingId: id }));
    dealer.connect(await bound(theirs));
    await dealer.send("hello");
    expect((await theirs.receive())[0]).toEqual(id);
    await theirs.send([id, "back"]);
    expect(texts(await dealer.receive(soon))).toEqual(["back"]);
  });

  it("a ROUTER that names its peer reaches libzmq's ROUTER at once, and the other way round (I11)", async () => {
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
    "our %s with probeRouter makes itself known to libzmq's ROUTER (I14)",
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
    "libzmq's %s with probeRouter makes itself known to our ROUTER (I14)",
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

  it("a probe goes from the accepting side too (I14)", async () => {
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
  it("a full libzmq DEALER holds the send back, nothing is lost, and one that left is not reachable (I4, I5)", async () => {
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

  it("libzmq's ROUTER reaches our DEALER until it leaves (I4)", async () => {
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

/** Passes messages on, both ways, until the sockets close. */
function forward(front: Router, back: Dealer): void {
  const pump = async (from: Router | Dealer, to: Router | Dealer) => {
    for await (const message of from) await to.send(message);
  };
  for (const pumping of [pump(front, back), pump(back, front)]) pumping.catch(() => {}); // closed by the test
}

describe("chains", () => {
  it.each([1, 2])("libzmq's REQ and REP talk through %i forwarder(s) of ours (H18)", async (hops) => {
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

  it("our REQ and REP talk through libzmq's proxy (H18)", async () => {
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
  it("our DEALER keeps its queue over the restart of a libzmq ROUTER, and its name (G3)", async () => {
    const first = new zmq.Router({ linger: 0, receiveTimeout: 20_000 });
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

  it("a libzmq DEALER that dials our ROUTER again has its name again (I8)", async () => {
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

  it("PAIR: either side may come back (L3, L4)", async () => {
    const ours = managed(new Pair({ reconnectInterval: 10 }));
    const events = record(ours);
    const first = new zmq.Pair({ linger: 0, receiveTimeout: 20_000 });
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
});
