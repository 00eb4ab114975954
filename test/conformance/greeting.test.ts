/**
 * Section A of the conformance list: greeting and version negotiation, byte by byte against a raw peer. zwire speaks
 * ZMTP 3.0 and 3.1, and 2.0 (legacy.test.ts); an older peer is closed and told about in an event (A22).
 */
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { Pull, Push } from "../../src/index.js";
import { managed, rawDial, rawListen, record, texts, turns } from "../support/helpers.js";
import { greeting, message, ready } from "../support/raw-peer.js";

async function boundPull(options = {}) {
  const pull = managed(new Pull(options));
  const events = record(pull);
  return { pull, events, endpoint: await pull.bind("tcp://127.0.0.1:*") };
}

/** A peer that must be refused: closed, with an event that says why, and nothing delivered. */
async function refused(octets: Buffer, options = {}) {
  const { pull, events, endpoint } = await boundPull(options);
  const peer = await rawDial(endpoint);
  peer.write(octets);
  await peer.closed();
  const event = await events.next("handshake:error:");
  expect(event.error).toBeInstanceOf(Error);
  expect(event.error!.message).not.toBe("");
  expect(events.of("handshake")).toHaveLength(0);
  expect(pull.tryReceive()).toBeUndefined();
  return event;
}

describe("greeting", () => {
  it("the first ten octets go out at once, before anything is read (A1)", async () => {
    const { endpoint } = await boundPull();
    const peer = await rawDial(endpoint);
    expect((await peer.read(10)).toString("hex")).toMatch(/^ff.{16}7f$/);
  });

  it("a dialling socket sends its first ten octets at once as well (A1)", async () => {
    const listener = await rawListen();
    managed(new Push()).connect(listener.endpoint);
    const peer = await listener.accept();
    expect((await peer.read(10)).toString("hex")).toMatch(/^ff.{16}7f$/);
  });

  it("the padding may hold any octets (A3)", async () => {
    const { pull, endpoint } = await boundPull();
    const peer = await rawDial(endpoint);
    const padding = Buffer.from("0123456789abcdef", "hex");
    peer.write(greeting({ padding }), ready("PUSH"), message("x"));
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["x"]);
  });

  it("of the tenth octet only bit 0 counts (A3)", async () => {
    const { pull, endpoint } = await boundPull();
    const peer = await rawDial(endpoint);
    const octets = greeting();
    octets[9] = 0x01;
    peer.write(octets, ready("PUSH"), message("x"));
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["x"]);
  });

  it("a peer that shows ten octets and then waits gets our eleventh (A4)", async () => {
    const { endpoint } = await boundPull();
    const peer = await rawDial(endpoint);
    peer.write(greeting().subarray(0, 10));
    expect((await peer.read(11))[10]).toBe(3);
  });

  it("a peer that greets in stages of 10, 1 and 53 octets completes (A5)", async () => {
    const { endpoint } = await boundPull();
    const peer = await rawDial(endpoint);
    const octets = greeting();
    await peer.read(10);
    peer.write(octets.subarray(0, 10));
    await peer.read(1);
    peer.write(octets.subarray(10, 11));
    await peer.read(53);
    peer.write(octets.subarray(11), ready("PUSH"));
    expect((await peer.readCommand()).name).toBe("READY");
  });

  it("libzmq, which greets in stages, completes in both directions (A5)", async () => {
    const { pull, endpoint } = await boundPull();
    const bound = new zmq.Push({ linger: 0 });
    const dialling = new zmq.Push({ linger: 0 });
    await bound.bind("tcp://127.0.0.1:*");
    dialling.connect(endpoint);
    pull.connect(bound.lastEndpoint!);
    await Promise.all([bound.send("bound"), dialling.send("dialling")]);
    const got = [await pull.receive({ timeout: 20_000 }), await pull.receive({ timeout: 20_000 })];
    expect(got.flatMap(texts).sort()).toEqual(["bound", "dialling"]);
    bound.close();
    dialling.close();
  });

  it("our greeting has 64 octets: signature, 3.1, mechanism NULL, as-server 0, filler zero (A6)", async () => {
    const { endpoint } = await boundPull();
    const peer = await rawDial(endpoint);
    peer.write(greeting());
    const { raw } = await peer.readGreeting();
    expect(raw[0]).toBe(0xff);
    expect(raw[9] & 1).toBe(1);
    expect([raw[10], raw[11]]).toEqual([3, 1]);
    expect(raw.toString("latin1", 12, 32)).toBe(`NULL${"\0".repeat(16)}`);
    expect(raw.subarray(32)).toEqual(Buffer.alloc(32));
    // What follows is READY, so the greeting ended where it should.
    expect((await peer.readCommand()).name).toBe("READY");
  });

  it.each([
    [3, 0],
    [3, 2],
    [3, 255],
    [4, 0],
    [255, 7],
  ])("a peer of version %i.%i is served, with our own 3.1 (A8)", async (major, minor) => {
    const { pull, endpoint } = await boundPull();
    const peer = await rawDial(endpoint);
    const { greeting: ours } = await peer.handshake({ type: "PUSH", major, minor });
    expect([ours.major, ours.minor]).toEqual([3, 1]);
    peer.write(message("x"));
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["x"]);
  });

  it("a peer of major version 2 is closed with an event, without a wait for 64 octets (A9)", async () => {
    await refused(greeting({ major: 2 }).subarray(0, 11));
  });

  it("a peer of revision 0 is closed with an event (A11)", async () => {
    await refused(Buffer.concat([greeting().subarray(0, 10), Buffer.from([0, 8])]));
  });

  it("a ZMTP 1.0 peer, whose first octet is not FF, is closed with an event (A12)", async () => {
    await refused(Buffer.from([1, 0, 6, 0, 104, 101, 108, 108, 111]));
  });

  it("FF and an even tenth octet (1.0 with a long identity) is closed with an event (A13)", async () => {
    await refused(Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 2, 0, 65]));
  });

  it("an HTTP request is closed with an event (A21)", async () => {
    await refused(Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  });

  it("the event about an older peer names its version as the reason (A22)", async () => {
    const event = await refused(Buffer.from([1, 0, 6, 0, 104, 101, 108, 108, 111]));
    expect(event.type).toBe("handshake:error:protocol");
    expect(event.error!.message).toMatch(/3\.0|1\.0|version|greeting|signature/i);
  });

  it("greeting, READY and messages that trickle octet by octet arrive whole (A23)", async () => {
    const { pull, endpoint } = await boundPull();
    const peer = await rawDial(endpoint);
    await peer.trickle(
      Buffer.concat([greeting(), ready("PUSH"), message("one", "", "two"), message("x".repeat(300))]),
    );
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["one", "", "two"]);
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["x".repeat(300)]);
  });

  it("greeting, READY and messages glued in one segment arrive whole (A23)", async () => {
    const { pull, endpoint } = await boundPull();
    const peer = await rawDial(endpoint);
    peer.write(
      greeting(),
      ready("PUSH"),
      message("one", "", "two"),
      message("x".repeat(300)),
      message("end"),
    );
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["one", "", "two"]);
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["x".repeat(300)]);
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["end"]);
  });

  it("the stream may be cut anywhere between greeting and messages (A23)", async () => {
    const { pull, endpoint } = await boundPull();
    const octets = Buffer.concat([greeting(), ready("PUSH"), message("a", "b")]);
    for (let cut = 60; cut < octets.length; cut += 3) {
      const peer = await rawDial(endpoint);
      peer.write(octets.subarray(0, cut));
      await turns(3);
      peer.write(octets.subarray(cut));
      expect(texts(await pull.receive({ timeout: 20_000 })), `cut at ${cut}`).toEqual(["a", "b"]);
      peer.close();
    }
  });

  it("filler octets that are not zero are ignored (A24)", async () => {
    const { pull, endpoint } = await boundPull();
    const peer = await rawDial(endpoint);
    peer.write(greeting({ filler: 0xa5 }), ready("PUSH"), message("x"));
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["x"]);
  });

  it.each([
    ["before the first octet", Buffer.alloc(0)],
    ["after ten octets", greeting().subarray(0, 10)],
    ["before READY", greeting()],
  ])("a peer that stalls %s is closed after handshakeInterval, with an event (A25)", async (_, octets) => {
    const began = performance.now();
    const event = await refused(octets, { handshakeInterval: 200 });
    expect(event.at - began).toBeGreaterThan(100);
    expect(event.at - began).toBeLessThan(8000);
  });

  it("a dialling socket tries again after a stalled greeting (A25)", async () => {
    const listener = await rawListen();
    const push = managed(new Push({ handshakeInterval: 1000, reconnectInterval: 20 }));
    push.connect(listener.endpoint);
    const first = await listener.accept();
    await first.closed();
    const second = await listener.accept();
    await second.handshake({ type: "PULL" });
    await push.send("x");
    expect(texts(await second.readMessage())).toEqual(["x"]);
  });
});
