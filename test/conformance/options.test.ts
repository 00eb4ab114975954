/**
 * Options as constructor fields and properties, each on each type: owners, defaults, what is taken and refused, the
 * warning of changes that come too late, and where the effect of each is shown. Effects that have no file of their own
 * are in option-effects.test.ts.
 */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import * as zwire from "../../src/index.js";
import { ROWS } from "../../src/options/table.js";
import { managed } from "../support/helpers.js";
import { type Row, TYPE_NAMES, TYPES, type TypeName } from "../support/option-rows.js";
import { OPTIONS } from "../support/option-table.js";

type Loose = Record<string, unknown>;
let names = 0;

function create(type: TypeName, options?: object): zwire.Socket & Loose {
  const Type = TYPES[type] as new (options?: object) => zwire.Socket;
  return managed(new Type(options)) as zwire.Socket & Loose;
}

/** As the application gave it: bytes as text. */
function plain(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : value;
}

function defaultOf(row: Row, type: TypeName): unknown {
  return row.initials?.[type] ?? row.initial;
}

/** Values of a type that the option never has. */
function wrong(row: Row): unknown[] {
  if (row.kind === "flag") return [0, 1, "true", null, {}];
  if (row.kind === "int" || row.kind === "long") return ["1", null, true, 1n, [1]];
  if (row.kind === "list") return [1, true, {}];
  if (row.kind === "object") return [1, "x", true, []];
  if (row.kind === "flag or object") return [1, "x", null, [], { level: 9 }];
  if (row.kind === "function") return [1, "x", true, {}];
  if (row.kind === "optional int") return ["1", true, {}, 1n];
  return row.initial === null ? [1, true, {}, []] : [1, true, null, {}];
}

it("the table has every option that there is, once", () => {
  expect(OPTIONS.map((row) => row.name).sort()).toEqual(Object.keys(ROWS).sort());
});

it("every option that does something names the test that shows it", () => {
  for (const { name, proof, refused } of OPTIONS) {
    expect(proof === undefined, name).toBe(refused === true);
    if (proof === undefined) continue;
    const [file, title] = proof.split(/: (.*)/s);
    const path = new URL(`../${file}`, import.meta.url);
    expect(existsSync(path), `${name}: ${file}`).toBe(true);
    const source = readFileSync(path, "utf8");
    const found = title === "" ? source.includes(name) : new RegExp(`["\`]${escaped(title)}`).test(source);
    expect(found, `${name}: ${proof}`).toBe(true);
  }
});

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

describe.each(OPTIONS.map((row) => [row.name, row] as const))("%s", (name, row) => {
  it("is a property and a constructor field of its owners, with its default", () => {
    for (const type of row.owners) {
      const socket = create(type);
      expect(name in socket, type).toBe(true);
      expect(plain(socket[name]), type).toEqual(defaultOf(row, type));
      expect(create(type, { [name]: undefined })[name], type).toEqual(socket[name]);
      for (const value of row.good) {
        expect(plain(create(type, { [name]: value })[name]), type).toEqual(value);
        socket[name] = value;
        expect(plain(socket[name]), type).toEqual(value);
      }
    }
  });

  it("other types have it neither as a field nor as a property (U2)", () => {
    for (const type of TYPE_NAMES.filter((one) => !row.owners.includes(one))) {
      const socket = create(type);
      // M6: a Stream tells the name of its newest connection.
      if (!(type === "STREAM" && name === "routingId")) expect(name in socket, type).toBe(false);
      expect(() => create(type, { [name]: row.good[0] }), type).toThrow(TypeError);
      expect(() => {
        socket[name] = row.good[0];
      }, type).toThrow(TypeError);
    }
  });

  it("a value of another type is a TypeError, and the old value stays (U2)", () => {
    for (const type of row.owners) {
      const socket = create(type, { [name]: row.good[0] });
      for (const value of wrong(row)) {
        expect(() => create(type, { [name]: value }), `${type} ${value}`).toThrow(TypeError);
        expect(() => {
          socket[name] = value;
        }, `${type} ${value}`).toThrow(TypeError);
        expect(plain(socket[name])).toEqual(row.good[0]);
      }
    }
  });

  const fault = row.refused
    ? expect.objectContaining({ code: "ENOTSUP", message: expect.stringContaining(name) })
    : expect.objectContaining({ name: "RangeError", message: expect.stringContaining(name) });
  it(`a wrong value of the right type is ${row.refused ? "ENOTSUP" : "a RangeError"}, and the old value stays (U2)`, () => {
    for (const type of row.owners) {
      const socket = create(type, { [name]: row.good[0] });
      for (const value of row.bad) {
        expect(() => create(type, { [name]: value }), `${type} ${value}`).toThrow(fault);
        expect(() => {
          socket[name] = value;
        }, `${type} ${value}`).toThrow(fault);
        expect(plain(socket[name])).toEqual(row.good[0]);
      }
    }
  });

  it(`set after bind or connect it ${row.live ? "acts at once" : "warns that it acts with the next one"}`, async () => {
    const warnings = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    try {
      for (const verb of ["bind", "connect"] as const) {
        const socket = create(row.owners[0]);
        socket[name] = row.good[0];
        expect(warnings).not.toHaveBeenCalled();
        // A Stream has no inproc.
        if (socket.type === 11)
          await socket[verb](verb === "bind" ? "tcp://127.0.0.1:*" : "tcp://127.0.0.1:1");
        else await socket[verb](`inproc://options-${names++}`);
        socket[name] = row.good[0];
        const expected = [["Socket option will not take effect until next connect/bind."]];
        expect(warnings.mock.calls).toEqual(row.live ? [] : expected);
        warnings.mockClear();
      }
    } finally {
      warnings.mockRestore();
    }
  });

  it("cannot be set on a closed socket, and still tells its value (U4)", async () => {
    const socket = create(row.owners[0]);
    await socket.close();
    expect(() => {
      socket[name] = row.good[0];
    }).toThrow(expect.objectContaining({ code: "EBADF" }));
    expect(plain(socket[name])).toEqual(defaultOf(row, row.owners[0]));
  });
});

describe("what some options take besides", () => {
  it("octets for a text, and null for none", () => {
    const dealer = create("DEALER");
    const octets = Buffer.from([1, 0, 255]);
    dealer.routingId = octets;
    octets.fill(0);
    expect(dealer.routingId).toEqual(Buffer.from([1, 0, 255])); // a copy
    dealer.routingId = null;
    expect(dealer.routingId).toBeNull();
    expect(create("DEALER", { routingId: Buffer.from([0, 1]) }).routingId).toEqual(Buffer.from([0, 1])); // C12
    for (const name of ["interface", "socksProxy", "socksUsername", "socksPassword"]) {
      expect(create("PUSH", { [name]: null })[name]).toBeNull();
    }
    expect(create("XPUB", { welcomeMessage: null }).welcomeMessage).toBeNull();
  });
});

describe("contexts (their rules are in context.test.ts)", () => {
  it("a socket of a context without blocky drops what is unsent when it closes (S11)", async () => {
    const push = new zwire.Push({ context: new zwire.Context({ blocky: false }) });
    push.connect("tcp://127.0.0.1:1");
    await push.send("unsent");
    const closing = push.close();
    const late = new Promise((resolve) => setTimeout(() => resolve("late"), 5000).unref());
    expect(await Promise.race([closing, late])).toBeUndefined();
  });

  it("ipv6 is the default of sockets made from then on (R5)", async () => {
    const context = new zwire.Context();
    const before = create("PUSH", { context });
    context.ipv6 = true;
    const push = create("PUSH", { context });
    expect([before.ipv6, push.ipv6, create("PUSH", { context, ipv6: false }).ipv6]).toEqual([
      false,
      true,
      false,
    ]);
    push.connect("tcp://[::1]:1"); // refused at once where ipv6 is off
    expect(() => before.connect("tcp://[::1]:1")).toThrow(expect.objectContaining({ code: "EINVAL" }));
  });
});
