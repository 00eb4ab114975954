/**
 * Options by libzmq's number: every stable option of libzmq is there on the types that own it, with the accessors of
 * its size and no others; what is read-only, write-only, refused or of another type says so; contexts likewise. Long,
 * because a third of the numbers are special.
 */
import { describe, expect, it, vi } from "vitest";
import * as zwire from "../../src/index.js";
import { CONTEXT_OPTION_NUMBERS, SOCKET_OPTION_NUMBERS } from "../../src/options/numbers.js";
import { managed, texts } from "../support/helpers.js";
import { type Kind, OPTIONS, type Row, TYPE_NAMES, TYPES, type TypeName } from "../support/option-table.js";

type Loose = Record<string, unknown>;
type Accessor = "Bool" | "Int32" | "Uint32" | "Int64" | "Uint64" | "String";
type Target = zwire.Socket | zwire.Context;

const ACCESSORS: readonly Accessor[] = ["Bool", "Int32", "Uint32", "Int64", "Uint64", "String"];
const soon = { timeout: 20_000 };

/** Which accessors serve an option; libzmq only compares sizes, so the three of 32 bits are one. */
const SERVE: Record<Kind, readonly Accessor[]> = {
  flag: ["Bool", "Int32", "Uint32"],
  choice: ["Bool", "Int32", "Uint32"],
  int: ["Bool", "Int32", "Uint32"],
  long: ["Int64", "Uint64"],
  text: ["String"],
  list: ["Int32", "Uint32"],
  // Without a number.
  object: [],
  function: [],
  "optional int": [],
};
/** A value of each accessor's type. */
const SAMPLES: Record<Accessor, unknown> = {
  Bool: true,
  Int32: 1,
  Uint32: 1,
  Int64: 1,
  Uint64: 1,
  String: "1",
};
const NAME_TYPES = ["hostBased", "userName", "krb5Principal"];

const einval = expect.objectContaining({ name: "ZmqError", code: "EINVAL" });
const enotsup = expect.objectContaining({ name: "ZmqError", code: "ENOTSUP" });

function get(target: Target, accessor: Accessor, id: number): unknown {
  return target[`get${accessor}Option`](id);
}

function set(target: Target, accessor: Accessor, id: number, value: unknown): void {
  (target[`set${accessor}Option`] as (id: number, value: unknown) => void).call(target, id, value);
}

function create(type: TypeName): zwire.Socket & Loose {
  const Type = TYPES[type] as new () => zwire.Socket;
  return managed(new Type()) as zwire.Socket & Loose;
}

function plain(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString() : value;
}

function serving(row: Row): readonly Accessor[] {
  return row.name === "tcpAcceptFilter" ? ["String"] : SERVE[row.kind];
}

/** What an accessor takes or gives for a value of the property. */
function raw(row: Row, accessor: Accessor, value: unknown): unknown {
  if (row.kind === "choice") value = NAME_TYPES.indexOf(value as string);
  if (row.kind === "list") value = (value as unknown[])[0];
  if (accessor === "Bool") return Boolean(value);
  if (accessor === "Uint32") return Number(value) >>> 0;
  if (accessor === "Uint64") return Number(BigInt.asUintN(64, BigInt(value as number)));
  return accessor === "String" ? plain(value) : Number(value);
}

const numbered = OPTIONS.filter((row) => row.number !== undefined);

it("every stable option of libzmq has its number (U2)", () => {
  const queueing = [
    23, 24, 28, 27, 17, 39, 54, 22, 5, 61, 33, 56, 51, 41, 52, 53, 6, 7, 40, 78, 69, 71, 72, 74, 73,
  ];
  const connections = [18, 21, 79, 66, 75, 77, 76, 19, 89, 4];
  const system = [11, 12, 34, 35, 36, 37, 80, 57, 42, 31, 92, 68, 38, 58, 59, 60];
  const security = [44, 45, 46, 47, 48, 49, 50, 55, 62, 63, 64, 65, 90, 91];
  const foreign = [8, 9, 25, 84, 85, 86, 87, 88];
  const readOnly = [16, 13, 14, 15, 32, 43, 81];
  const stable = [...queueing, ...connections, ...system, ...security, ...foreign, ...readOnly];
  for (const id of stable) expect(SOCKET_OPTION_NUMBERS.has(id), `${id}`).toBe(true);
  // Beside these: drafts, of which some builds without drafts take too.
  const others = [...SOCKET_OPTION_NUMBERS.keys()].filter((id) => !stable.includes(id));
  const drafts = [93, 94, 95, 97, 98, 99, 100, 108, 109, 110, 111, 112, 113, 114, 115, 116];
  expect(others.sort((a, b) => a - b)).toEqual(drafts);
  expect([...CONTEXT_OPTION_NUMBERS.keys()].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 42, 70]);
});

it("every number is in the table or tested by itself (U2)", () => {
  const special = [6, 7, 13, 14, 15, 16, 31, 32, 40, 41, 43, 61, 78, 81, 95, 98, 116];
  const known = [...special, ...numbered.map((row) => row.number as number)].sort((a, b) => a - b);
  expect([...SOCKET_OPTION_NUMBERS.keys()].sort((a, b) => a - b)).toEqual(known);
});

describe.each(numbered.map((row) => [`${row.number} ${row.name}`, row] as const))("%s", (_title, row) => {
  const id = row.number as number;
  const accessors = serving(row);

  it("has its default by number", () => {
    for (const type of row.owners) {
      const socket = create(type);
      for (const accessor of accessors) {
        const reading = () => get(socket, accessor, id);
        if (row.access === "write") expect(reading, type).toThrow(einval);
        else expect(reading(), type).toBe(raw(row, accessor, row.initials?.[type] ?? row.initial));
      }
    }
  });

  it("takes by number what the property takes", () => {
    for (const type of row.owners) {
      const socket = create(type);
      for (const value of row.good) {
        if (row.kind === "list" && (value as unknown[]).length === 0) continue;
        for (const accessor of accessors) {
          const given = raw(row, accessor, value);
          // -1 is no number without sign, and a flag only holds 0 and 1.
          if (accessor === "Bool" && row.kind !== "flag") continue;
          if (accessor === "Uint64" && (value as number) < 0) continue;
          if (row.kind === "list" && row.name !== "tcpAcceptFilter") socket[row.name] = [];
          else if (row.kind === "list") socket[row.name] = null;
          set(socket, accessor, id, given);
          expect(plain(socket[row.name]), `${type} ${accessor} ${value}`).toEqual(value);
          if (row.access !== "write") expect(get(socket, accessor, id)).toBe(given);
        }
      }
    }
  });

  it("an accessor of another size is EINVAL, and the old value stays (U2)", () => {
    for (const type of row.owners) {
      const socket = create(type);
      const before = socket[row.name];
      const others = ACCESSORS.filter((one) => !accessors.includes(one) && !SERVE[row.kind].includes(one));
      for (const accessor of others) {
        if (row.kind === "list" && accessor === "Bool") continue;
        expect(() => get(socket, accessor, id), accessor).toThrow(einval);
        expect(() => set(socket, accessor, id, SAMPLES[accessor]), accessor).toThrow(einval);
        expect(socket[row.name]).toEqual(before);
      }
    }
  });

  it("a value out of range is refused by number too, and the old one stays (U2)", () => {
    for (const type of row.owners) {
      const socket = create(type);
      const before = plain(socket[row.name]);
      for (const bad of row.bad) {
        const [accessor] = accessors.filter((one) => one !== "Bool" || row.kind === "flag");
        const value = raw(row, accessor, bad);
        const attempt = () => set(socket, accessor, id, value);
        if (row.refused) expect(attempt, `${bad}`).toThrow(enotsup);
        // What no number of that size can be is an argument of the wrong kind; the rest is libzmq's EINVAL.
        else if (fits(accessor, value)) expect(attempt, `${bad}`).toThrow(einval);
        else expect(attempt, `${bad}`).toThrow(RangeError);
        expect(plain(socket[row.name])).toEqual(before);
      }
    }
  });

  it("a type that does not own it says EINVAL, and changes nothing (U2)", () => {
    for (const type of TYPE_NAMES.filter((one) => !row.owners.includes(one))) {
      if (type === "STREAM" && row.name === "routingId") continue; // M6: tested by itself
      const socket = create(type);
      for (const accessor of accessors) {
        expect(() => get(socket, accessor, id), type).toThrow(einval);
        expect(() => set(socket, accessor, id, raw(row, accessor, row.good[0])), type).toThrow(einval);
      }
      expect(row.name in socket).toBe(false);
    }
  });

  it("is EBADF on a closed socket (U4)", async () => {
    const socket = create(row.owners[0]);
    await socket.close();
    for (const accessor of ACCESSORS) {
      const closed = expect.objectContaining({ code: "EBADF" });
      expect(() => get(socket, accessor, id)).toThrow(closed);
      expect(() => set(socket, accessor, id, SAMPLES[accessor])).toThrow(closed);
    }
  });
});

function fits(accessor: Accessor, value: unknown): boolean {
  if (accessor === "String") return true;
  if (!Number.isInteger(value)) return false;
  const limit = accessor === "Int64" ? Number.MAX_SAFE_INTEGER : 2 ** 31 - 1;
  return Math.abs(value as number) <= limit;
}

describe("arguments of the accessors", () => {
  const socket = () => create("PUSH");

  it.each(ACCESSORS)("an identifier that is no number is a TypeError: %s", (accessor) => {
    for (const id of ["17", null, undefined, {}]) {
      expect(() => get(socket(), accessor, id as number)).toThrow(TypeError);
      expect(() => set(socket(), accessor, id as number, SAMPLES[accessor])).toThrow(TypeError);
    }
  });

  it.each(ACCESSORS)("a number that nothing has is EINVAL: %s (U2)", (accessor) => {
    for (const id of [0, -1, 1, 2, 3, 10, 20, 26, 83, 96, 97, 101, 9999, 1.5, Number.NaN]) {
      expect(() => get(socket(), accessor, id)).toThrow(einval);
      expect(() => set(socket(), accessor, id, SAMPLES[accessor])).toThrow(einval);
    }
  });

  it("a value of another type is a TypeError", () => {
    const push = socket();
    for (const value of [1, "true", null]) expect(() => set(push, "Bool", 39, value)).toThrow(TypeError);
    for (const value of ["1", true, null, 1n]) {
      for (const accessor of ["Int32", "Uint32"] as const)
        expect(() => set(push, accessor, 17, value)).toThrow(TypeError);
      for (const accessor of ["Int64", "Uint64"] as const)
        expect(() => set(push, accessor, 22, value)).toThrow(TypeError);
    }
    for (const value of [1, true, undefined, []])
      expect(() => set(push, "String", 92, value)).toThrow(TypeError);
    expect([push.immediate, push.linger, push.maxMessageSize, push.interface]).toEqual([
      false,
      30000,
      -1,
      null,
    ]);
  });

  it("octets serve where text does, and null unsets", () => {
    const dealer = create("DEALER");
    dealer.setStringOption(5, Buffer.from([1, 255]));
    expect(dealer.routingId).toEqual(Buffer.from([1, 255]));
    dealer.setStringOption(5, null);
    expect(dealer.getStringOption(5)).toBeNull();
  });

  it("a number without sign reads a negative one as libzmq does", () => {
    const push = socket();
    expect([push.getUint32Option(34), push.getUint64Option(22)]).toEqual([2 ** 32 - 1, 2 ** 64]);
    push.setUint32Option(17, 2 ** 32 - 1);
    expect(push.linger).toBe(-1);
  });

  it("switches that libzmq reads as a number take any that is not negative (U2)", () => {
    const router = create("ROUTER");
    for (const [id, name] of [
      [33, "mandatory"],
      [56, "handover"],
      [51, "probeRouter"],
    ] as const) {
      router.setInt32Option(id, 2);
      expect(router[name]).toBe(true);
      router.setInt32Option(id, 0);
      expect(router[name]).toBe(false);
      expect(() => router.setInt32Option(id, -1)).toThrow(einval);
    }
    for (const id of [39, 42]) expect(() => router.setInt32Option(id, 2)).toThrow(einval);
  });

  it("warns as the property does after bind", async () => {
    const warnings = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    try {
      const push = socket();
      await push.bind("inproc://option-numbers");
      push.setInt32Option(17, 5);
      push.setInt32Option(23, 5);
      expect(warnings).not.toHaveBeenCalled();
      push.setInt32Option(18, 5);
      expect(warnings.mock.calls).toEqual([["Socket option will not take effect until next connect/bind."]]);
    } finally {
      warnings.mockRestore();
    }
  });
});

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
    };
    for (const type of TYPE_NAMES) {
      const socket = create(type);
      expect(socket.getInt32Option(16), type).toBe(numbers[type]);
      expect(socket.getBoolOption(81), type).toBe(numbers[type] > 11);
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

describe("contexts by number", () => {
  const rows = [
    [1, "ioThreads", "Int32", 1, 1, -1],
    [2, "maxSockets", "Int32", 1023, 10, 0],
    [5, "maxMessageSize", "Int32", 2 ** 31 - 1, 10, -1],
    [42, "ipv6", "Bool", false, true, 2],
    [70, "blocky", "Bool", true, false, 2],
  ] as const;

  it.each(rows)("%i %s", (id, name, accessor, initial, good, bad) => {
    const context = new zwire.Context();
    expect(get(context, accessor, id)).toBe(initial);
    set(context, accessor, id, good);
    expect(context[name]).toBe(good);
    expect(() => context.setInt32Option(id, bad)).toThrow(einval);
    for (const other of ["Int64", "Uint64", "String"] as const) {
      expect(() => get(context, other, id)).toThrow(einval);
      expect(() => set(context, other, id, SAMPLES[other])).toThrow(einval);
    }
    expect(context[name]).toBe(good);
  });

  it("3 reads the largest number of sockets; 3 and 4, thread options, and 1 take only their defaults", () => {
    const context = new zwire.Context();
    expect(context.getInt32Option(3)).toBe(65535);
    expect(() => context.getInt32Option(4)).toThrow(einval);
    for (const id of [3, 4]) {
      context.setInt32Option(id, -1);
      expect(() => context.setInt32Option(id, 1)).toThrow(enotsup);
    }
    expect(() => context.setInt32Option(1, 2)).toThrow(enotsup);
    for (const id of [0, 6, 17, 9999]) expect(() => context.getInt32Option(id)).toThrow(einval);
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
