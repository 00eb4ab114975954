import { networkInterfaces } from "node:os";
import { describe, expect, it } from "vitest";
import { Datagram, Dish, Radio } from "../../src/draft.js";
import { curveKeyPair } from "../../src/index.js";
import { managed, record, settled, texts } from "../support/helpers.js";
import { code, heard, PlainUdp } from "../support/plain-udp.js";
import { ALL_TYPES, type AnySocket, TYPE_NAMES } from "../support/types.js";

const timeout = 20_000;
const LARGEST = 65507;
const ipv6 = Object.values(networkInterfaces()).some((all) => all?.some((one) => one.address === "::1"));

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
