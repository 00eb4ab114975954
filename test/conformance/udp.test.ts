/**
 * Datagrams over udp: RADIO and DISH (N13), DGRAM (N14), and which types and addresses there are (R26). The other side is
 * node:dgram where the wire matters.
 */
import { spawnSync } from "node:child_process";
import { networkInterfaces } from "node:os";
import { describe, expect, it } from "vitest";
import { Datagram, Dish, Radio } from "../../src/draft.js";
import { curveKeyPair } from "../../src/index.js";
import { managed, record, settled, texts, turns, until } from "../support/helpers.js";
import { groupDatagram, PlainUdp } from "../support/plain-udp.js";
import { ALL_TYPES, type AnySocket, TYPE_NAMES } from "../support/types.js";

const timeout = 20_000;
const LARGEST = 65507;
const ipv6 = Object.values(networkInterfaces()).some((all) => all?.some((one) => one.address === "::1"));

const code = (name: string) => expect.objectContaining({ name: "ZmqError", code: name });

/** The next message of a Dish as [text, group]. */
async function heard(dish: Dish): Promise<[string, string]> {
  const [part, { group }] = await dish.receive({ timeout });
  return [part.toString(), group.toString()];
}

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

describe("DGRAM", () => {
  async function pair() {
    const plain = await PlainUdp.open();
    const datagram = managed(new Datagram());
    const endpoint = await datagram.bind("udp://127.0.0.1:*");
    return { plain, datagram, endpoint };
  }

  it("a message is an address and a body; the wire has the body alone (N14)", async () => {
    const { plain, datagram, endpoint } = await pair();
    for (const body of ["hello", "", "\0".repeat(10), "x".repeat(LARGEST)]) {
      await plain.send(endpoint, body);
      const [from, received] = await datagram.receive({ timeout });
      expect([String(from), String(received)]).toEqual([`127.0.0.1:${plain.port}`, body]);
      await datagram.send([from, body]);
      expect(await plain.next()).toMatchObject({
        bytes: Buffer.from(body),
        port: Number(endpoint.split(":")[2]),
      });
    }
    await datagram.send([`127.0.0.1:${plain.port}\0`, "as libzmq writes it"]);
    expect(String((await plain.next()).bytes)).toBe("as libzmq writes it");
  });

  it.each([
    ["one part", "x"],
    ["three parts", ["127.0.0.1:9", "x", "y"]],
    ["a name", ["localhost:9", "x"]],
    ["no port", ["127.0.0.1", "x"]],
    ["port 0", ["127.0.0.1:0", "x"]],
    ["port 65536", ["127.0.0.1:65536", "x"]],
    ["half an address", ["127.0.0:9", "x"]],
    ["an address too long", ["127.0.0.1.1:9", "x"]],
    ["IPv6 without brackets", ["::1:9", "x"]],
    ["IPv4 in brackets", ["[127.0.0.1]:9", "x"]],
    ["nothing", ["", "x"]],
    ["an endpoint", ["udp://127.0.0.1:9", "x"]],
    ["a megabyte", ["1".repeat(2 ** 20), "x"]],
  ])("%s is EINVAL, whether it is bound or not (N14)", async (_, message) => {
    const { datagram } = await pair();
    await expect(datagram.send(message)).rejects.toThrow(code("EINVAL"));
    expect(() => managed(new Datagram()).trySend(message)).toThrow(code("EINVAL"));
    await expect(datagram.send(["127.0.0.1:9", Buffer.alloc(LARGEST + 1)])).rejects.toThrow(code("EMSGSIZE"));
    expect(datagram.stats).toMatchObject({ messagesSent: 0, dropped: 0 });
  });

  it("a send waits until there is an endpoint, and there is one at a time (N14)", async () => {
    const plain = await PlainUdp.open();
    const datagram = managed(new Datagram());
    const to = `127.0.0.1:${plain.port}`;
    expect([datagram.writable, datagram.trySend([to, "no"])]).toEqual([false, false]);
    await expect(datagram.send([to, "x"], { timeout: 5 })).rejects.toThrow(code("EAGAIN"));
    const waiting = datagram.send([to, "waited"]);
    expect(await settled(waiting)).toBe(false);
    const both = await Promise.allSettled([datagram.bind("udp://127.0.0.1:*"), datagram.bind("udp://*:*")]);
    expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    await waiting;
    expect(String((await plain.next()).bytes)).toBe("waited");
    expect(() => datagram.bindSync("udp://127.0.0.1:*")).toThrow("one endpoint at a time");
    await datagram.unbind(datagram.lastEndpoint as string);
    expect(datagram.writable).toBe(false);
    expect(datagram.bindSync("udp://*:*")).toMatch(/^udp:\/\/0\.0\.0\.0:\d+$/);
    await datagram.send([to, "again"]);
    expect(String((await plain.next()).bytes)).toBe("again");
  });

  it("2,000 messages each way between two of them, whole and in order (N14)", async () => {
    const [one, other] = [managed(new Datagram()), managed(new Datagram())];
    const [here, there] = [await one.bind("udp://127.0.0.1:*"), await other.bind("udp://127.0.0.1:*")];
    const address = (endpoint: string) => endpoint.slice("udp://".length);
    for (let i = 0; i < 2000; i++) {
      const body = Buffer.alloc((i * 37) % 3000, i % 251);
      await one.send([address(there), body]);
      const [from, received] = await other.receive({ timeout });
      expect([String(from), received.equals(body)]).toEqual([address(here), true]);
      await other.send([from, received]);
      const [back, echoed] = await one.receive({ timeout });
      expect([String(back), echoed.equals(body)]).toEqual([address(there), true]);
    }
  });

  it.skipIf(!ipv6)(
    "IPv6: addresses in brackets; bound to all, IPv4 peers keep their plain ones (N14)",
    async () => {
      const six = await PlainUdp.open("::1");
      const four = await PlainUdp.open();
      const datagram = managed(new Datagram({ ipv6: true }));
      const endpoint = await datagram.bind("udp://*:*");
      expect(endpoint).toMatch(/^udp:\/\/\[::\]:\d+$/);
      const port = endpoint.split(":").pop();
      await six.send(`udp://[::1]:${port}`, "six");
      const [from, body] = await datagram.receive({ timeout });
      expect(texts([from, body])).toEqual([`[::1]:${six.port}`, "six"]);
      await datagram.send([from, "back"]);
      expect(String((await six.next()).bytes)).toBe("back");
      await four.send(`udp://127.0.0.1:${port}`, "four");
      const [plain, other] = await datagram.receive({ timeout });
      expect(texts([plain, other])).toEqual([`127.0.0.1:${four.port}`, "four"]);
      await datagram.send([plain, "back"]);
      expect(String((await four.next()).bytes)).toBe("back");

      const dish = managed(new Dish({ ipv6: true }));
      const radio = managed(new Radio({ ipv6: true }));
      dish.join("g");
      radio.connect(await dish.bind("udp://[::1]:*"));
      await radio.send("x", { group: "g" });
      expect(await heard(dish)).toEqual(["x", "g"]);
    },
  );
});

describe("types, addresses and options of udp", () => {
  const opens: Record<string, string> = { RADIO: "connect", DISH: "bind", DGRAM: "bind" };

  it.each(TYPE_NAMES)(
    "%s: only RADIO connects, only DISH and DGRAM bind; else ENOCOMPATPROTO (R26)",
    async (type) => {
      const socket = managed(ALL_TYPES[type].make()) as AnySocket;
      const endpoint = "udp://127.0.0.1:1";
      const refused = { code: "ENOCOMPATPROTO", errno: 156384764, address: endpoint };
      if (opens[type] !== "bind") {
        await expect(socket.bind(endpoint)).rejects.toMatchObject(refused);
        expect(() => socket.bindSync(endpoint)).toThrow(expect.objectContaining(refused));
      }
      if (opens[type] !== "connect")
        expect(() => socket.connect(endpoint)).toThrow(expect.objectContaining(refused));
      expect(socket.lastEndpoint).toBe(null);
    },
  );

  it.each(["tcp://127.0.0.1:*", "ipc://*", "inproc://dgram", "ws://127.0.0.1:*"])(
    "DGRAM has no %s (R26)",
    async (other) => {
      const datagram = managed(new Datagram());
      await expect(datagram.bind(other)).rejects.toThrow(code("ENOCOMPATPROTO"));
      expect(() => datagram.connect(other)).toThrow("has udp only");
    },
  );

  it.each([
    ["udp://127.0.0.1:*", /^udp:\/\/127\.0\.0\.1:\d+$/],
    ["udp://127.0.0.1:0", /^udp:\/\/127\.0\.0\.1:\d+$/],
    ["udp://localhost:*", /^udp:\/\/127\.0\.0\.1:\d+$/],
    ["udp://lo:*", /^udp:\/\/127\.0\.0\.1:\d+$/],
    ["udp://*:*", /^udp:\/\/0\.0\.0\.0:\d+$/],
    ["udp://239.0.0.1:*", /^udp:\/\/239\.0\.0\.1:\d+$/],
    ["udp://127.0.0.1;239.0.0.1:*", /^udp:\/\/127\.0\.0\.1;239\.0\.0\.1:\d+$/],
  ])("%s is bound, and has a port (N13, R8)", async (given, actual) => {
    if (given.includes("lo:") && networkInterfaces().lo === undefined) return;
    const dish = managed(new Dish());
    expect(await dish.bind(given)).toMatch(actual);
    expect(dish.lastEndpoint).toMatch(actual);
    await dish.unbind(dish.lastEndpoint as string);
    expect(dish.bindSync(given)).toMatch(actual);
  });

  it.each([
    ["udp://127.0.0.1", "EINVAL"],
    ["udp://127.0.0.1:65536", "EINVAL"],
    ["udp://127.0.0.1:5555x", "EINVAL"],
    ["udp://127.0.0.1;127.0.0.1:5555", "EINVAL"],
    ["udp://;239.0.0.1:5555", "EINVAL"],
    ["udp://239.0.0.2;239.0.0.1:5555", "EINVAL"],
    ["udp://[::1];239.0.0.1:5555", "EINVAL"],
    ["udp://[::1]:5555", "EINVAL"], // without ipv6: true
    ["udp://nosuch9;239.0.0.1:5555", "ENODEV"],
    ["udp://192.0.2.77;239.0.0.1:5555", "ENODEV"],
  ])("%s is %s to bind and to connect (N13)", async (endpoint, why) => {
    await expect(managed(new Dish()).bind(endpoint)).rejects.toThrow(code(why));
    expect(() => managed(new Dish()).bindSync(endpoint)).toThrow(code(why));
    expect(() => managed(new Radio()).connect(endpoint)).toThrow(code(why));
  });

  it.each(["udp://*:5555", "udp://127.0.0.1:*", "udp://127.0.0.1:0"])(
    "%s cannot be connected (R2)",
    (endpoint) => {
      expect(() => managed(new Radio()).connect(endpoint)).toThrow(code("EINVAL"));
    },
  );

  it("an address that is not ours is EADDRNOTAVAIL, and the socket is not bound (N13)", async () => {
    const dish = managed(new Dish());
    const events = record(dish);
    await expect(dish.bind("udp://192.0.2.77:5555")).rejects.toThrow(code("EADDRNOTAVAIL"));
    expect(events.names).toEqual(["bind:error"]);
    await expect(dish.unbind("udp://192.0.2.77:5555")).rejects.toThrow(code("ENOENT"));
    expect(() => dish.bindSync("udp://192.0.2.77:5555")).toThrow(code("EADDRNOTAVAIL"));
  });

  it("a multicast address is bound once by one socket, and heard once (N13)", async () => {
    const dish = managed(new Dish());
    const endpoint = await dish.bind("udp://239.0.0.1:*");
    await expect(dish.bind(endpoint)).rejects.toThrow(code("EADDRINUSE"));
    expect(() => dish.bindSync(endpoint)).toThrow(code("EADDRINUSE"));
    const other = managed(new Dish());
    const twice = await Promise.allSettled([other.bind(endpoint), other.bind(endpoint)]);
    expect(twice.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    await dish.unbind(endpoint);
    await expect(dish.unbind(endpoint)).rejects.toThrow(code("ENOENT"));
    expect(await dish.bind(endpoint)).toBe(endpoint);
  });

  it("security is refused, because there is none (N13)", async () => {
    const { secretKey } = curveKeyPair();
    for (const options of [
      { security: { mechanism: "plain", username: "u", password: "p" } },
      { security: { mechanism: "curve", server: true, secretKey } },
      { security: { mechanism: "null", domain: "d" } },
      { authenticate: () => "user" },
    ] as const) {
      const radio = managed(new Radio(options));
      expect(() => radio.connect("udp://127.0.0.1:5555")).toThrow("udp cannot be secured");
      await expect(managed(new Dish(options)).bind("udp://127.0.0.1:*")).rejects.toThrow(code("EINVAL"));
    }
  });

  it("options that would direct or restrict connections are refused (N13)", async () => {
    for (const options of [
      { interface: "lo" },
      { tcpAcceptFilter: ["127.0.0.1"] },
      { useFd: 0 },
      { socksProxy: "127.0.0.1:1080" },
    ]) {
      await expect(managed(new Dish(options)).bind("udp://127.0.0.1:*")).rejects.toThrow(code("ENOTSUP"));
      expect(() => managed(new Radio(options)).connect("udp://127.0.0.1:5")).toThrow(code("ENOTSUP"));
    }
  });
});
