/** RADIO and DISH over udp (N13). The other side is node:dgram where the wire matters. */
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { Dish, Radio } from "../../src/draft.js";
import { managed, record, texts, turns, until } from "../support/helpers.js";
import { code, groupDatagram, heard, PlainUdp } from "../support/plain-udp.js";

const timeout = 20_000;
const LARGEST = 65507;

/** Resolves when nothing that was sent over the loopback device before can still be on its way. */
async function quiet(dish: Dish, endpoint: string): Promise<void> {
  const plain = await PlainUdp.open();
  dish.join("end of test");
  await plain.send(endpoint, groupDatagram("end of test", ""));
  expect(await heard(dish)).toEqual(["", "end of test"]);
}

describe("RADIO and DISH over udp", () => {
  it("a message is one datagram: the length of the group, the group and the body (N13)", async () => {
    const plain = await PlainUdp.open();
    const radio = managed(new Radio());
    radio.connect(plain.endpoint);
    const longest = "g".repeat(255);
    for (const [group, body] of [
      ["news", "hello"],
      ["", "no group"],
      ["empty", ""],
      [longest, "x"],
    ]) {
      await radio.send(body, { group });
      expect((await plain.next()).bytes).toEqual(groupDatagram(group, body));
    }
    await radio.sendMany([
      ["1", { group: "a" }],
      ["2", { group: "b" }],
    ]);
    expect(texts([(await plain.next()).bytes, (await plain.next()).bytes])).toEqual(["\x01a1", "\x01b2"]);
  });

  it("a Dish gets the bodies of its groups, whole, and nothing of others (N13)", async () => {
    const plain = await PlainUdp.open();
    const dish = managed(new Dish());
    const endpoint = await dish.bind("udp://127.0.0.1:*");
    dish.join("news", "");
    for (const [group, body] of [
      ["new", "prefix"],
      ["newspaper", "longer"],
      ["news", "1"],
      ["", "2"],
      ["other", "x"],
      ["news", ""],
    ]) {
      await plain.send(endpoint, groupDatagram(group, body));
    }
    expect([await heard(dish), await heard(dish), await heard(dish)]).toEqual([
      ["1", "news"],
      ["2", ""],
      ["", "news"],
    ]);
    dish.leave("news");
    await plain.send(endpoint, groupDatagram("news", "left"));
    await quiet(dish, endpoint);
    expect(dish.stats).toMatchObject({ messagesReceived: 4, dropped: 0, peers: 0 });
  });

  it("the largest datagram has 65507 bytes; more is EMSGSIZE when it is sent (N13)", async () => {
    const radio = managed(new Radio());
    const dish = managed(new Dish());
    dish.join("g");
    radio.connect(await dish.bind("udp://127.0.0.1:*"));
    const body = Buffer.alloc(LARGEST - 2, "x");
    await radio.send(body, { group: "g" });
    expect((await dish.receive({ timeout }))[0]).toEqual(body);
    const more = Buffer.alloc(LARGEST - 1);
    await expect(radio.send(more, { group: "g" })).rejects.toThrow(code("EMSGSIZE"));
    await expect(radio.send(more, { group: "g" })).rejects.toThrow("at most 65507 bytes; got 65508");
    expect(() => radio.trySend(more, { group: "g" })).toThrow(code("EMSGSIZE"));
    await expect(radio.sendMany([[more, { group: "g" }]])).rejects.toThrow(code("EMSGSIZE"));
    expect(radio.stats).toMatchObject({ messagesSent: 1, dropped: 0 });
  });

  it("what is sent before the endpoint is open waits, up to the mark (N13)", async () => {
    const plain = await PlainUdp.open();
    const radio = managed(new Radio({ sendHighWaterMark: 3 }));
    const events = record(radio);
    radio.connect(`udp://localhost:${plain.port}`); // a name takes a while
    for (let i = 0; i < 5; i++) expect(radio.trySend(`${i}`, { group: "" })).toBe(true);
    expect(radio.stats).toMatchObject({ outboundQueue: 3, dropped: 2, unsentBytes: 6 });
    for (let i = 0; i < 3; i++) expect(String((await plain.next()).bytes)).toBe(`\0${i}`);
    expect(events.of("limit")).toMatchObject([{ limit: "sendHighWaterMark", action: "dropped", value: 3 }]);
    expect(radio.stats).toMatchObject({ outboundQueue: 0, unsentBytes: 0 });
  });

  it("with noDrop such a send waits, and goes out when the endpoint is open (N13)", async () => {
    const plain = await PlainUdp.open();
    const radio = managed(new Radio({ sendHighWaterMark: 1, noDrop: true }));
    radio.connect(`udp://localhost:${plain.port}`);
    expect(radio.trySend("0", { group: "" })).toBe(true);
    expect([radio.writable, radio.trySend("no", { group: "" })]).toEqual([false, false]);
    await radio.send("1", { group: "", timeout });
    expect(texts([(await plain.next()).bytes, (await plain.next()).bytes])).toEqual(["\x000", "\x001"]);
    expect(radio.stats.dropped).toBe(0);
  });

  it('onFull "dropOldest" keeps the newest (N13)', async () => {
    const plain = await PlainUdp.open();
    const radio = managed(new Radio({ sendHighWaterMark: 2, onFull: "dropOldest" }));
    radio.connect(`udp://localhost:${plain.port}`);
    for (let i = 0; i < 5; i++) expect(radio.trySend(`${i}`, { group: "" })).toBe(true);
    expect(texts([(await plain.next()).bytes, (await plain.next()).bytes])).toEqual(["\x003", "\x004"]);
    expect(radio.stats.dropped).toBe(3);
  });

  it("one Radio sends over udp and tcp at once; over tcp as ever (N9, N13)", async () => {
    const radio = managed(new Radio());
    const [far, near] = [managed(new Dish()), managed(new Dish())];
    for (const dish of [far, near]) dish.join("g");
    far.connect(await radio.bind("tcp://127.0.0.1:*"));
    radio.connect(await near.bind("udp://127.0.0.1:*"));
    await radio.connected({ timeout });
    let sent = 0;
    while (far.tryReceive() === undefined) {
      await radio.send(`${sent++}`, { group: "g" });
      await turns(2);
    }
    for (let i = 0; i < sent; i++) expect(await heard(near)).toEqual([`${i}`, "g"]);
    await expect(radio.send(Buffer.alloc(LARGEST), { group: "g" })).rejects.toThrow(code("EMSGSIZE"));
    radio.disconnect(near.lastEndpoint as string);
    await radio.send(Buffer.alloc(LARGEST), { group: "g" }); // over tcp alone there is no such limit
    for (;;) if ((await far.receive({ timeout }))[0].length === LARGEST) break;
  });

  it("to nobody: the send succeeds, and what the system says of it is not told (N13)", async () => {
    const plain = await PlainUdp.open();
    const { endpoint } = plain;
    const radio = managed(new Radio());
    const events = record(radio);
    const gone = managed(new Dish());
    radio.connect(await gone.bind("udp://127.0.0.1:*"));
    await gone.close();
    for (let i = 0; i < 20; i++) {
      await radio.send("x", { group: "g", timeout: 0 });
      await turns(2);
    }
    radio.connect(endpoint);
    await radio.send("y", { group: "g" });
    expect(String((await plain.next()).bytes)).toBe("\x01gy");
    expect(events.names).toEqual(["connect:delay", "connect", "connect:delay", "connect"]);
    expect(radio.stats).toMatchObject({ peers: 0, dropped: 0 });
  });

  it("what the system refuses to send is told and counted, and the socket goes on (N13)", async () => {
    const plain = await PlainUdp.open();
    const radio = managed(new Radio());
    const events = record(radio);
    radio.connect("udp://255.255.255.255:9"); // EACCES: broadcast is off
    for (let i = 0; i < 50; i++) await radio.send("x", { group: "g" });
    const told = await events.next("limit");
    expect(told).toMatchObject({ limit: "datagram", action: "dropped", error: { code: "EACCES" } });
    await until(() => radio.stats.dropped === 50, "all are counted");
    expect(events.of("limit")).toHaveLength(1); // once a second at most
    radio.connect(plain.endpoint);
    await radio.send("y", { group: "g" });
    expect(String((await plain.next()).bytes)).toBe("\x01gy");
  });

  it("a full Dish drops what comes, tells it once, counts each, and takes more at half of its mark (N13)", async () => {
    const plain = await PlainUdp.open();
    const dish = managed(new Dish({ receiveHighWaterMark: 10 }));
    const events = record(dish);
    const endpoint = await dish.bind("udp://127.0.0.1:*");
    dish.join("g");
    const send = async (from: number, to: number) => {
      for (let i = from; i < to; i++) await plain.send(endpoint, groupDatagram("g", `${i}`));
    };
    await send(0, 30);
    await until(() => dish.stats.receiveQueue + dish.stats.dropped === 30, "all have arrived");
    expect(dish.stats).toMatchObject({ receiveQueue: 10, dropped: 20 });
    expect(events.of("limit")).toMatchObject([
      { limit: "receiveHighWaterMark", action: "dropped", value: 10, endpoint },
    ]);
    for (let i = 0; i < 4; i++) expect((await heard(dish))[0]).toBe(`${i}`);
    await send(30, 31);
    await until(() => dish.stats.dropped === 21, "still above half");
    expect((await heard(dish))[0]).toBe("4");
    await send(31, 33);
    await until(() => dish.stats.receiveQueue === 7, "below half");
    for (const text of ["5", "6", "7", "8", "9", "31", "32"]) expect((await heard(dish))[0]).toBe(text);
    expect(dish.stats).toMatchObject({ receiveQueue: 0, receivedBytes: 0, dropped: 21 });
  });

  it.each([
    ["receiveHighWaterMarkBytes", { receiveHighWaterMarkBytes: 100_000 }],
    ["maxQueuedBytes", { maxQueuedBytes: 100_000 }],
  ])("%s bounds what waits, too (N13)", async (limit, options) => {
    const plain = await PlainUdp.open();
    const dish = managed(new Dish(options));
    const events = record(dish);
    const endpoint = await dish.bind("udp://127.0.0.1:*");
    dish.join("g");
    for (let i = 0; i < 10; i++) {
      await plain.send(endpoint, groupDatagram("g", Buffer.alloc(30_000)));
      await turns(2);
    }
    await until(() => dish.stats.receiveQueue + dish.stats.dropped === 10, "all have arrived");
    expect(dish.stats).toMatchObject({ receiveQueue: 4, dropped: 6 });
    expect(events.of("limit").filter(({ action }) => action === "dropped")).toMatchObject([{ limit }]);
    for (let i = 0; i < 4; i++) await dish.receive({ timeout });
    await plain.send(endpoint, groupDatagram("g", "again"));
    expect((await heard(dish))[0]).toBe("again");
  });

  it("maxMessageSize drops larger bodies (N13)", async () => {
    const plain = await PlainUdp.open();
    const dish = managed(new Dish({ maxMessageSize: 5 }));
    const events = record(dish);
    const endpoint = await dish.bind("udp://127.0.0.1:*");
    dish.join("group");
    await plain.send(endpoint, groupDatagram("group", "123456"));
    await plain.send(endpoint, groupDatagram("group", "12345"));
    expect((await heard(dish))[0]).toBe("12345");
    expect(events.of("limit")).toMatchObject([{ limit: "maxMessageSize", action: "dropped", value: 6 }]);
    expect(dish.stats.dropped).toBe(1);
  });

  it("close() and disconnect() send what was sent; unbind() frees the port and keeps what is unread (N13, S12)", async () => {
    const plain = await PlainUdp.open();
    const radio = managed(new Radio());
    radio.connect(`udp://localhost:${plain.port}`);
    for (let i = 0; i < 10; i++) await radio.send(`${i}`, { group: "" });
    await radio.close(); // before the name was looked up
    for (let i = 0; i < 10; i++) expect(String((await plain.next()).bytes)).toBe(`\0${i}`);

    const dish = managed(new Dish());
    const events = record(dish);
    dish.join("g");
    const endpoint = await dish.bind("udp://127.0.0.1:*");
    await plain.send(endpoint, groupDatagram("g", "unread"));
    await until(() => dish.stats.receiveQueue === 1, "it has arrived");
    await dish.unbind(endpoint);
    expect(events.names).toEqual(["bind", "close"]);
    expect(await heard(dish)).toEqual(["unread", "g"]);
    expect(await dish.bind(endpoint)).toBe(endpoint);
    await plain.send(endpoint, groupDatagram("g", "again"));
    expect(await heard(dish)).toEqual(["again", "g"]);
    await expect(managed(new Dish()).bind(endpoint)).rejects.toThrow(code("EADDRINUSE"));
  });

  it("a name that cannot be looked up is tried again, with the reason, until it is disconnected (N13)", async () => {
    const radio = managed(new Radio({ reconnectInterval: 5, sendHighWaterMark: 2 }));
    const events = record(radio);
    const nowhere = `udp://${"a".repeat(64)}.invalid:5555`; // no name has a part of 64 letters
    radio.connect(nowhere);
    await radio.send("kept", { group: "g" });
    const retry = await events.next("connect:retry", 3);
    expect(retry.error).toBeInstanceOf(Error);
    expect(radio.stats.outboundQueue).toBe(1);
    radio.disconnect(nowhere);
    await events.next("close");
    const once = managed(new Radio({ reconnectInterval: 0 }));
    const told = record(once);
    once.connect(nowhere);
    await told.next("close");
    expect(() => once.disconnect(nowhere)).toThrow(code("ENOENT"));
  });

  it("buffers of the system, immediate, messagePeers and borrow() work as elsewhere (N13)", async () => {
    const radio = managed(new Radio({ immediate: true, sendBufferSize: 100_000 }));
    const dish = managed(new Dish({ messagePeers: true, receiveBufferSize: 100_000 }));
    const events = record(radio);
    dish.join("g");
    radio.connect(await dish.bind("udp://127.0.0.1:*"));
    await radio.send("too early", { group: "g" });
    await events.next("connect");
    await radio.send("1", { group: "g" });
    const message = await dish.receive({ timeout });
    expect(String(message[0])).toBe("1");
    expect(dish.peerOf(message)).toBeUndefined();
    const loan = radio.loan(50_000);
    loan.fill("l");
    await radio.send(loan, { group: "g" });
    const lent = await dish.receive({ timeout });
    expect(lent[0]).toEqual(Buffer.alloc(50_000, "l"));
  });
});

describe("a process with a udp socket", () => {
  it.each([
    ["bound stays alive, unless it is unref()ed", "dish.bindSync('udp://127.0.0.1:*')"],
    ["connected, too", "radio.connect('udp://127.0.0.1:9')"],
  ])("that is %s (N13)", (_, open) => {
    const draft = new URL("../../dist/draft.js", import.meta.url).href;
    const run = (more: string) => {
      const program = `import { Dish, Radio } from "${draft}"; const dish = new Dish(), radio = new Radio(); ${open}; ${more}`;
      const options = { timeout, encoding: "utf8" } as const;
      return spawnSync(process.execPath, ["--input-type=module", "-e", program], options);
    };
    expect(run("setTimeout(() => process.exit(7), 300).unref()").status).toBe(7);
    expect(run("dish.unref(); radio.unref(); setTimeout(() => process.exit(7), 300).unref()").status).toBe(0);
  });
});
