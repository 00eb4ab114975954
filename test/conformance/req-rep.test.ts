/**
 * Section H: REQ and REP, on the wire against a raw peer and among zwire sockets, with Request.request().
 */
import { describe, expect, it } from "vitest";
import { Dealer, Reply, Request } from "../../src/index.js";
import {
  managed,
  rawConnected,
  rawListen,
  record,
  settled,
  TRANSPORTS,
  texts,
  turns,
  until,
  within,
} from "../support/helpers.js";
import { message, type RawListener, type RawPeer } from "../support/raw-peer.js";

/** A REQ that dials raw services, in the order of their connections. */
async function asking(services = 1, options = {}) {
  const request = managed(new Request({ reconnectInterval: 20, ...options }));
  const events = record(request);
  const listeners: RawListener[] = [];
  const peers: RawPeer[] = [];
  for (let i = 0; i < services; i++) {
    const listener = await rawListen();
    listeners.push(listener);
    request.connect(listener.endpoint);
    const peer = await listener.accept();
    await peer.handshake({ type: "REP" });
    peers.push(peer);
    await request.connected({ count: i + 1, timeout: 20_000 });
  }
  return { request, events, listeners, peers, peer: peers[0] };
}

/** A REP with raw clients. */
async function serving(clients = 1, type = "REQ") {
  const reply = managed(new Reply());
  const events = record(reply);
  const endpoint = await reply.bind("tcp://127.0.0.1:*");
  const peers: RawPeer[] = [];
  for (let i = 0; i < clients; i++) peers.push(await rawConnected(endpoint, { type }));
  await reply.connected({ count: clients, timeout: 20_000 });
  return { reply, events, endpoint, peers, peer: peers[0] };
}

describe("REQ on the wire", () => {
  it("a request is an empty frame with MORE, then its parts (H1)", async () => {
    const { request, peer } = await asking();
    await request.send(["a", "", "b"]);
    expect((await peer.read(2)).toString("hex")).toBe("0100");
    expect(texts(await peer.readMessage())).toEqual(["a", "", "b"]);
    peer.write(message("", "x", "y"));
    expect(texts(await request.receive({ timeout: 20_000 }))).toEqual(["x", "y"]);
  });

  it("requests rotate over services, and a reply counts only from the one asked (H3)", async () => {
    const { request, peers } = await asking(3);
    for (let round = 0; round < 6; round++) {
      await request.send(`${round}`);
      const asked = peers[round % 3];
      expect(texts(await asked.readMessage())).toEqual(["", `${round}`]);
      const other = peers[(round + 1) % 3];
      other.write(message("", "forged"));
      await other.barrier();
      expect(request.tryReceive()).toBeUndefined();
      asked.write(message("", `answer ${round}`));
      expect(texts(await request.receive({ timeout: 20_000 }))).toEqual([`answer ${round}`]);
    }
  });

  it.each([
    ["without an empty frame", message("junk", "x")],
    ["of one frame", message("junk")],
    ["of an empty frame alone", message("")],
  ])("a reply %s ends the connection with an event (H5)", async (_, octets) => {
    const { request, events, peer } = await asking();
    await request.send("a");
    await peer.readMessage();
    peer.write(octets);
    await peer.closed();
    const event = await events.next("handshake:error:protocol");
    expect(event.error!.message).not.toBe("");
    expect(request.tryReceive()).toBeUndefined();
  });

  it("a reply with a four-octet id is discarded while correlate is off (H6)", async () => {
    const { request, peer } = await asking();
    await request.send("a");
    await peer.readMessage();
    peer.write(message("abcd", "", "wrong"), message("", "right"));
    expect(texts(await request.receive({ timeout: 20_000 }))).toEqual(["right"]);
  });

  it("when the asked peer leaves, REQ keeps waiting; a timeout frees the call (H7)", async () => {
    const { request, events, listeners, peer } = await asking();
    await request.send("a");
    await peer.readMessage();
    const timedOut = expect(request.receive({ timeout: 300 })).rejects.toMatchObject({ code: "EAGAIN" });
    peer.close();
    await events.next("disconnect");
    const again = await listeners[0].accept();
    await again.handshake({ type: "REP" });
    await again.barrier(); // nothing was sent again
    await timedOut;
  });

  it("with relaxed, a second request abandons the first and the peers stay connected (H8)", async () => {
    const { request, events, peer } = await asking(1, { relaxed: true, correlate: true });
    await request.send("one");
    const first = await peer.readMessage();
    await request.send("two");
    const second = await peer.readMessage();
    peer.write(message(first[0], "", "to one"), message(second[0], "", "to two"));
    expect(texts(await request.receive({ timeout: 20_000 }))).toEqual(["to two"]);
    expect(events.of("disconnect")).toHaveLength(0);
  });

  it("with correlate, a four-octet id that grows by one goes before the empty frame (H9)", async () => {
    const { request, peer } = await asking(1, { correlate: true });
    const ids: number[] = [];
    for (let i = 0; i < 3; i++) {
      await request.send("q");
      const parts = await peer.readMessage();
      expect(parts.map((part) => part.length)).toEqual([4, 0, 1]);
      ids.push(parts[0].readUInt32LE());
      peer.write(
        message(Buffer.from("none"), "", "other id"),
        message("", "no id"),
        message(parts[0], "", "mine"),
      );
      expect(texts(await request.receive({ timeout: 20_000 }))).toEqual(["mine"]);
    }
    expect([(ids[1] - ids[0]) >>> 0, (ids[2] - ids[1]) >>> 0]).toEqual([1, 1]);
  });

  it("with relaxed and correlate, only the answer to the last of two requests is delivered (H10)", async () => {
    const { request, peer } = await asking(1, { relaxed: true, correlate: true });
    await request.send("one");
    await request.send("two");
    const [one, two] = [await peer.readMessage(), await peer.readMessage()];
    peer.write(message(one[0], "", "1"), message(two[0], "", "2"));
    expect(texts(await request.receive({ timeout: 20_000 }))).toEqual(["2"]);
    await peer.barrier();
    expect(request.tryReceive()).toBeUndefined();
  });

  it("with relaxed alone, a late answer is taken for the new one: as documented (H11)", async () => {
    const { request, peer } = await asking(1, { relaxed: true });
    await request.send("one");
    await request.send("two");
    await peer.readMessage();
    await peer.readMessage();
    peer.write(message("", "to one"));
    expect(texts(await request.receive({ timeout: 20_000 }))).toEqual(["to one"]);
  });

  it("replies that came when nothing was asked are dropped before the next request (H12)", async () => {
    const { request, peer } = await asking();
    peer.write(message("", "stale"), message("", "staler"));
    await peer.barrier();
    await request.send("q");
    await peer.readMessage();
    peer.write(message("", "fresh"), message("", "twice"));
    expect(texts(await request.receive({ timeout: 20_000 }))).toEqual(["fresh"]);
    await peer.barrier();
    await request.send("q2");
    await peer.readMessage();
    peer.write(message("", "fresh2"));
    expect(texts(await request.receive({ timeout: 20_000 }))).toEqual(["fresh2"]);
  });
});

describe("REP on the wire", () => {
  it("the envelope goes back as it came, and the application sees the body only (H13)", async () => {
    const { reply, peer } = await serving(1, "DEALER");
    peer.write(message("e1", "e2", "", "question", "", "more"));
    expect(texts(await reply.receive({ timeout: 20_000 }))).toEqual(["question", "", "more"]);
    await reply.send(["answer", ""]);
    expect(texts(await peer.readMessage())).toEqual(["e1", "e2", "", "answer", ""]);
  });

  it("a request without an empty frame is discarded and the next one served (H14)", async () => {
    const { reply, events, peer } = await serving(1, "DEALER");
    peer.write(message("no", "delimiter"), message("single"), message("", "good"));
    expect(texts(await reply.receive({ timeout: 20_000 }))).toEqual(["good"]);
    await reply.send("ok");
    expect(texts(await peer.readMessage())).toEqual(["", "ok"]);
    expect(events.of("disconnect")).toHaveLength(0);
  });

  it("a reply to a requester that left vanishes without an error, and the next request is served (H16)", async () => {
    const { reply, events, peers } = await serving(2);
    peers[0].write(message("", "from one"));
    expect(texts(await reply.receive({ timeout: 20_000 }))).toEqual(["from one"]);
    peers[0].close();
    await events.next("disconnect");
    peers[1].write(message("", "from two"));
    await reply.send("to nobody");
    expect(texts(await reply.receive({ timeout: 20_000 }))).toEqual(["from two"]);
    await reply.send("to two");
    expect(texts(await peers[1].readMessage())).toEqual(["", "to two"]);
  });

  it("REP never blocks on a requester that is full (H16)", async () => {
    const reply = managed(new Reply({ sendHighWaterMark: 3 }));
    const peer = await rawConnected(await reply.bind("tcp://127.0.0.1:*"), { type: "DEALER" });
    for (let i = 0; i < 60; i++) peer.write(message("", `${i}`));
    peer.pause();
    const body = Buffer.alloc(2_000_000);
    for (let i = 0; i < 60; i++) {
      expect(texts(await reply.receive({ timeout: 20_000 }))).toEqual([`${i}`]);
      await within(reply.send(body), "a reply");
    }
  });
});

it("a request() made when another's reply has just come takes its place at the end of the line", async () => {
  const [reply, request] = [managed(new Reply()), managed(new Request())];
  request.connect(await reply.bind("inproc://in-line"));
  const calls = [request.request("1"), request.request("2")];
  expect(texts(await reply.receive({ timeout: 20_000 }))).toEqual(["1"]);
  void reply.send("re: 1");
  await null; // the reply is there, the line has not moved yet
  calls.push(request.request("3"));
  for (const question of ["2", "3"]) {
    expect(texts(await reply.receive({ timeout: 20_000 }))).toEqual([question]);
    await reply.send(`re: ${question}`);
  }
  expect((await Promise.all(calls)).flatMap(texts)).toEqual(["re: 1", "re: 2", "re: 3"]);
});

describe.each(TRANSPORTS)("REQ and REP over $name", ({ endpoint }) => {
  async function pair(options = {}) {
    const reply = managed(new Reply());
    const request = managed(new Request(options));
    request.connect(await reply.bind(endpoint()));
    await Promise.all([reply.connected({ timeout: 20_000 }), request.connected({ timeout: 20_000 })]);
    return { request, reply };
  }

  it("REQ: a second send before the reply, and a receive before a send, fail with EFSM (H2)", async () => {
    const { request, reply } = await pair();
    await expect(request.receive()).rejects.toMatchObject({ code: "EFSM" });
    await request.send("one");
    await expect(request.send("two")).rejects.toMatchObject({ code: "EFSM" });
    expect(texts(await reply.receive({ timeout: 20_000 }))).toEqual(["one"]);
    await reply.send("answer");
    expect(texts(await request.receive({ timeout: 20_000 }))).toEqual(["answer"]);
    await request.send("three");
    expect(texts(await reply.receive({ timeout: 20_000 }))).toEqual(["three"]);
  });

  it("REP: a receive while a reply is owed, and a send while none is, fail with EFSM (H15)", async () => {
    const { request, reply } = await pair();
    await expect(reply.send("x")).rejects.toMatchObject({ code: "EFSM" });
    expect(() => reply.trySend("x")).toThrow(expect.objectContaining({ code: "EFSM" }));
    await request.send("q");
    await reply.receive({ timeout: 20_000 });
    await expect(reply.receive()).rejects.toMatchObject({ code: "EFSM" });
    await reply.send("a");
    expect(texts(await request.receive({ timeout: 20_000 }))).toEqual(["a"]);
  });

  it("REQ without a peer blocks or fails with EAGAIN and never discards (H4)", async () => {
    const request = managed(new Request());
    const actual = await request.bind(endpoint());
    expect(request.trySend("x")).toBe(false);
    await expect(request.send("x", { timeout: 10 })).rejects.toMatchObject({ code: "EAGAIN" });
    const waiting = request.send("kept");
    expect(await settled(waiting)).toBe(false);
    const reply = managed(new Reply());
    reply.connect(actual);
    await waiting;
    expect(texts(await reply.receive({ timeout: 20_000 }))).toEqual(["kept"]);
  });

  it("REQ takes a message between exchanges only, REP while it owes a reply only (H17)", async () => {
    const { request, reply } = await pair();
    expect(request.trySend("q")).toBe(true);
    expect(() => request.trySend("q2")).toThrow(expect.objectContaining({ code: "EFSM" }));
    let got: Buffer[] | undefined;
    await until(() => (got = reply.tryReceive()) !== undefined, "the request is there");
    expect(texts(got!)).toEqual(["q"]);
    expect(reply.trySend("a")).toBe(true);
    expect(() => reply.trySend("b")).toThrow(expect.objectContaining({ code: "EFSM" }));
    expect(texts(await request.receive({ timeout: 20_000 }))).toEqual(["a"]);
    expect(request.trySend("q3")).toBe(true);
  });

  it("one REP serves many REQs, each with its own answer", async () => {
    const reply = managed(new Reply());
    const actual = await reply.bind(endpoint());
    const requests = Array.from({ length: 10 }, () => managed(new Request()));
    for (const request of requests) request.connect(actual);
    void (async () => {
      for await (const [question] of reply) await reply.send([question, "!"]);
    })().catch(() => {});
    const answers = requests.map(async (request, i) => {
      for (let j = 0; j < 20; j++) {
        await request.send(`${i}/${j}`);
        expect(texts(await request.receive({ timeout: 20_000 }))).toEqual([`${i}/${j}`, "!"]);
      }
    });
    await Promise.all(answers);
  });

  it.each([false, true])(
    "request() called many times at once gives each call its own answer (correlate %s)",
    async (correlate) => {
      const { request, reply } = await pair({ correlate });
      void (async () => {
        for await (const [question] of reply) await reply.send(`re: ${question}`);
      })().catch(() => {});
      const calls = Array.from({ length: 100 }, (_, i) => request.request(`${i}`, { timeout: 20_000 }));
      const answers = await Promise.all(calls);
      expect(answers.flatMap(texts)).toEqual(Array.from({ length: 100 }, (_, i) => `re: ${i}`));
    },
  );

  it("a REP that answers inside its listener may have any number of requests before it", async () => {
    const reply = managed(new Reply({ receiveHighWaterMark: 0 }));
    const dealer = managed(new Dealer({ sendHighWaterMark: 0, receiveHighWaterMark: 0 }));
    dealer.connect(await reply.bind(endpoint()));
    const requests = Array.from({ length: 20_000 }, (_, i) => `${i}`);
    await dealer.sendMany(requests.map((text) => ["", text]));
    await until(() => reply.stats.receiveQueue === requests.length, "all requests are there");
    reply.on("message", (body) => {
      reply.trySend(body);
    });
    for (const text of requests) {
      expect((await dealer.receive({ timeout: 20_000 })).map(String)).toEqual(["", text]);
    }
  });

  it("a request() in line times out, or is aborted, while the one before it still waits", async () => {
    const { request, reply } = await pair();
    const first = request.request("1");
    const aborter = new AbortController();
    const aborted = request.request("2", { signal: aborter.signal });
    const late = request.request("3", { timeout: 20 });
    const last = request.request("4");
    const outcomes = Promise.allSettled([aborted, late]);
    aborter.abort(new Error("enough"));
    const [second, third] = (await within(outcomes, "both")) as PromiseRejectedResult[];
    expect([second.reason.message, third.reason.code]).toEqual(["enough", "EAGAIN"]);
    void (async () => {
      for await (const [question] of reply) await reply.send(`re: ${question}`);
    })().catch(() => {});
    expect(texts(await first)).toEqual(["re: 1"]);
    expect(texts(await last)).toEqual(["re: 4"]);
  });

  it.each([false, true])(
    "a request() that times out or is aborted does not spoil the next one (correlate %s)",
    async (correlate) => {
      const { request, reply } = await pair({ correlate, reconnectInterval: 10 });
      await expect(request.request("slow", { timeout: 30 })).rejects.toMatchObject({ code: "EAGAIN" });
      const aborter = new AbortController();
      const aborted = request.request("aborted", { signal: aborter.signal });
      await turns(3);
      aborter.abort(new Error("enough"));
      await expect(aborted).rejects.toThrow("enough");
      const last = request.request("last", { timeout: 20_000 });
      void (async () => {
        for await (const [question] of reply) await reply.send(`re: ${question}`);
      })().catch(() => {});
      expect(texts(await last)).toEqual(["re: last"]);
      expect(texts(await request.request("and again", { timeout: 20_000 }))).toEqual(["re: and again"]);
    },
  );
});
