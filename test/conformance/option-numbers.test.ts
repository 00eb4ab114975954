/**
 * Options by libzmq's number: every stable option of libzmq is there on the types that own it, with the accessors of
 * its size and no others; what is read-only, refused or of another type says so.
 */
import { describe, expect, it } from "vitest";
import { CONTEXT_OPTION_NUMBERS, SOCKET_OPTION_NUMBERS } from "../../src/options/numbers.js";
import {
  ACCESSORS,
  type Accessor,
  create,
  einval,
  enotsup,
  get,
  SAMPLES,
  SERVE,
  serving,
  set,
} from "../support/option-accessors.js";
import { type Row, TYPE_NAMES } from "../support/option-rows.js";
import { OPTIONS } from "../support/option-table.js";

const NAME_TYPES = ["hostBased", "userName", "krb5Principal"];

function plain(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString() : value;
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

function fits(accessor: Accessor, value: unknown): boolean {
  if (accessor === "String") return true;
  if (!Number.isInteger(value)) return false;
  const limit = accessor === "Int64" ? Number.MAX_SAFE_INTEGER : 2 ** 31 - 1;
  return Math.abs(value as number) <= limit;
}

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
  const drafts = [93, 94, 95, 96, 97, 98, 99, 100, 108, 109, 110, 111, 112, 113, 114, 115, 116];
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
