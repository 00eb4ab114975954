/**
 * Options by libzmq's number that are no plain options: read-only, write-only, without meaning, or with one of their own.
 */
import { describe, expect, it } from "vitest";
import * as zwire from "../../src/index.js";
import { managed, texts } from "../support/helpers.js";
import { create, einval, enotsup } from "../support/option-accessors.js";
import { TYPE_NAMES } from "../support/option-rows.js";

const soon = { timeout: 20_000 };

describe("numbers that are no plain options", () => {
  it("16 TYPE and 81 THREAD_SAFE are read-only", () => {
    const numbers: Record<string, number> = {
      PAIR: 0,
      PUB: 1,
      SUB: 2,
      REQ: 3,
      REP: 4,
      DEALER: 5,
      ROUTER: 6,
      PULL: 7,
      PUSH: 8,
      XPUB: 9,
      XSUB: 10,
      STREAM: 11,
      SERVER: 12,
      CLIENT: 13,
      RADIO: 14,
      DISH: 15,
      GATHER: 16,
      SCATTER: 17,
      PEER: 19,
      CHANNEL: 20,
      DGRAM: 18,
    };
    for (const type of TYPE_NAMES) {
      const socket = create(type);
      expect(socket.getInt32Option(16), type).toBe(numbers[type]);
      expect(socket.getBoolOption(81), type).toBe(numbers[type] > 11 && type !== "DGRAM");
      for (const id of [16, 81]) expect(() => socket.setInt32Option(id, 1)).toThrow(einval);
    }
  });

  it("32 LAST_ENDPOINT is read-only (S15)", async () => {
    const push = create("PUSH");
    expect(push.getStringOption(32)).toBeNull();
    const endpoint = await push.bind("tcp://127.0.0.1:*");
    expect(push.getStringOption(32)).toBe(endpoint);
    expect(() => push.setStringOption(32, "tcp://127.0.0.1:1")).toThrow(einval);
  });

  it("43 MECHANISM is read-only, and 0 for NULL", () => {
    const push = create("PUSH");
    expect(push.getInt32Option(43)).toBe(0);
    expect(() => push.setInt32Option(43, 1)).toThrow(einval);
  });

  it.each([13, 14, 15, 41])("%i has no meaning here: ENOTSUP", (id) => {
    const router = create("ROUTER");
    expect(() => router.getInt32Option(id)).toThrow(enotsup);
    expect(() => router.setInt32Option(id, 1)).toThrow(enotsup);
  });

  it("31 IPV4ONLY is the opposite of ipv6", () => {
    const push = create("PUSH");
    expect(push.getInt32Option(31)).toBe(1);
    push.setBoolOption(31, false);
    expect([push.ipv6, push.getInt32Option(42), push.getBoolOption(31)]).toEqual([true, 1, false]);
    expect(() => push.setInt32Option(31, 2)).toThrow(einval);
    expect(push.ipv6).toBe(true);
  });

  it("40 XPUB_VERBOSE and 78 XPUB_VERBOSER are write-only, on XPUB", () => {
    const xpub = create("XPUB");
    for (const [id, value] of [
      [40, "allSubs"],
      [78, "allSubsUnsubs"],
    ] as const) {
      xpub.setBoolOption(id, true);
      expect(xpub.verbosity).toBe(value);
      xpub.setInt32Option(id, 0);
      expect(xpub.verbosity).toBeNull();
      expect(() => xpub.getBoolOption(id)).toThrow(einval);
      expect(() => create("PUSH").setBoolOption(id, true)).toThrow(einval);
    }
  });

  it("6 SUBSCRIBE and 7 UNSUBSCRIBE, on SUB, and on XPUB with manual (J20)", async () => {
    const sub = create("SUB");
    const xpub = managed(new zwire.XPublisher());
    sub.connect(await xpub.bind("tcp://127.0.0.1:*"));
    sub.setStringOption(6, Buffer.from([0, 255]));
    expect(await xpub.receive(soon)).toEqual([Buffer.from([1, 0, 255])]);
    sub.setStringOption(7, Buffer.from([0, 255]));
    expect(await xpub.receive(soon)).toEqual([Buffer.from([0, 0, 255])]);
    sub.setStringOption(6, null);
    expect(texts(await xpub.receive(soon))).toEqual(["\x01"]);
    xpub.setBoolOption(71, true);
    xpub.setStringOption(6, "topic");
    for (const id of [6, 7]) {
      expect(() => sub.getStringOption(id)).toThrow(einval);
      expect(() => create("DEALER").setStringOption(id, "")).toThrow(einval); // U2
      expect(() => create("XPUB").setStringOption(id, "")).toThrow(einval);
    }
  });

  it("5 on STREAM tells the newest connection's name and cannot be set (M6)", async () => {
    const listening = managed(new zwire.Stream());
    const stream = create("STREAM");
    expect(stream.getStringOption(5)).toBeNull();
    stream.setStringOption(61, "named");
    stream.connect(await listening.bind("tcp://127.0.0.1:*"));
    expect(stream.getStringOption(5)).toBe("named");
    expect(() => stream.setStringOption(5, "other")).toThrow(einval);
  });

  it("61 CONNECT_ROUTING_ID is write-only and for the next connect only, on ROUTER and STREAM (I11)", async () => {
    const dealer = managed(new zwire.Dealer());
    const endpoint = await dealer.bind("tcp://127.0.0.1:*");
    const router = managed(new zwire.Router({ mandatory: true }));
    for (const bad of ["", "n".repeat(256)]) expect(() => router.setStringOption(61, bad)).toThrow(einval);
    expect(() => router.getStringOption(61)).toThrow(einval);
    router.setStringOption(61, "named");
    router.connect(endpoint);
    await router.send(["named", "hello"]);
    expect(texts(await dealer.receive(soon))).toEqual(["hello"]);
    router.connect(endpoint); // without a name: no clash
    for (const type of TYPE_NAMES.filter((one) => one !== "ROUTER" && one !== "STREAM")) {
      expect(() => create(type).setStringOption(61, "x"), type).toThrow(einval);
    }
  });

  it("38 TCP_ACCEPT_FILTER adds, and an empty text clears (R12)", () => {
    const pull = create("PULL");
    pull.setStringOption(38, "10.0.0.0/8");
    pull.setStringOption(38, "127.0.0.1");
    expect(pull.tcpAcceptFilter).toEqual(["10.0.0.0/8", "127.0.0.1"]);
    pull.setStringOption(38, "");
    expect(pull.tcpAcceptFilter).toEqual([]);
  });

  it("58 to 60 add an id; those of users and groups have no sign (R19)", () => {
    const pull = create("PULL");
    for (const [id, name, largest] of [
      [58, "ipcFilterProcessIds", 2 ** 31 - 1],
      [59, "ipcFilterUserIds", 2 ** 32 - 2],
      [60, "ipcFilterGroupIds", 2 ** 32 - 2],
    ] as const) {
      pull.setInt32Option(id, 5);
      pull.setUint32Option(id, largest);
      expect(() => pull.setUint32Option(id, 2 ** 32 - 1)).toThrow(einval);
      expect(pull[name]).toEqual([5, largest]);
    }
  });
});

it("98 sets manual and manualLastValue to the same, 116 is read only: topics of each type that has them", () => {
  const xpub = managed(new zwire.XPublisher());
  for (const [value, set] of [
    [3, true],
    [0, false],
  ] as const) {
    xpub.setInt32Option(98, value);
    expect([xpub.manual, xpub.manualLastValue]).toEqual([set, set]);
  }
  expect(() => xpub.setInt32Option(98, -1)).toThrow(einval);
  expect(() => xpub.getInt32Option(98)).toThrow(einval);
  const subscriber = managed(new zwire.Subscriber());
  subscriber.subscribe("a", "a", "b");
  const sockets = [managed(new zwire.Publisher()), xpub, managed(new zwire.XSubscriber()), subscriber];
  expect(sockets.map((socket) => socket.getInt32Option(116))).toEqual([0, 0, 0, 3]);
  for (const socket of sockets) expect(() => socket.setInt32Option(116, 1)).toThrow(einval);
  expect(() => managed(new zwire.Push()).getInt32Option(116)).toThrow(einval);
});
