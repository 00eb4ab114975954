/**
 * The table of options: a new option is one row, from which everything else follows; docs/options.md is what the table
 * says; and doc comments and rows agree.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { allComments, commentsIn, PAGE, page } from "../../../scripts/options-doc.mjs";
import { GROUPS } from "../../../src/options/groups.js";
import { asInt, type Target } from "../../../src/options/number-forms.js";
import { numbersOf } from "../../../src/options/numbers.js";
import { type Group, group, option, SOCKET_TYPES } from "../../../src/options/row.js";
import { whole } from "../../../src/options/rules.js";
import { namesOf, ownDefaults, rowsOf } from "../../../src/options/table.js";

const groups: readonly Group[] = Object.values(GROUPS);

describe("a new option is one row", () => {
  // The same text that the class below has: the page takes comments from sources.
  const source = `
export class PatienceRows {
  /** How long to be patient; 0 not at all. Default 7 (Pull: 9). */
  patience? = option(whole(0, 100, "milliseconds"), {`;
  class PatienceRows {
    /** How long to be patient; 0 not at all. Default 7 (Pull: 9). */
    patience? = option(whole(0, 100, "milliseconds"), {
      initial: 7,
      initialOf: { PULL: 9 },
      live: true,
      numbers: [asInt(200, "PATIENCE")],
    });
  }
  const added: readonly Group[] = [...groups, group("Queues and time", ["PUSH", "PULL"], new PatienceRows())];
  const row = rowsOf(added).patience;

  it("its values are checked, and an error names option, range, unit and what was given", () => {
    expect(row.check("patience", 5, 7)).toBe(5);
    const range = "patience must be an integer from 0 to 100 (milliseconds); got 101";
    expect(() => row.check("patience", 101, 7)).toThrow(new RangeError(range));
    const kind = 'patience must be a number (milliseconds); got "5"';
    expect(() => row.check("patience", "5", 7)).toThrow(new TypeError(kind));
  });

  it("it has its default, also where that differs by socket type", () => {
    expect(row.initial).toBe(7);
    expect([ownDefaults("PULL", added).patience, ownDefaults("PUSH", added).patience]).toEqual([
      9,
      undefined,
    ]);
  });

  it("it is reached by its number", () => {
    const target = { patience: 7 } as unknown as Target;
    const found = new Map(numbersOf(rowsOf(added))).get(200);
    expect(found).toMatchObject({ kind: "int" });
    found?.write?.(target, 8);
    expect([target.patience, found?.read?.(target)]).toEqual([8, 8]);
  });

  it("the types that it says have it, and no others", () => {
    const owners = SOCKET_TYPES.filter((type) => namesOf(type, added).includes("patience"));
    expect(owners).toEqual(["PULL", "PUSH"]);
  });

  it("its type is a field of theirs", () => {
    const fields: PatienceRows = { patience: 5 };
    const none: PatienceRows = {};
    // @ts-expect-error it is a number
    const wrong: PatienceRows = { patience: "5" };
    expect([fields, none, wrong]).toHaveLength(3);
  });

  it("it stands in the documentation", () => {
    const comments = { ...allComments(), ...commentsIn(`${source}\n  });\n}\n`) };
    const line = page(added, comments, SOCKET_TYPES)
      .split("\n")
      .find((text) => text.startsWith("| `patience`"));
    expect(line).toBe(
      "| `patience` | integer 0 to 100, milliseconds | `7`; Pull: `9` | Push, Pull | at once | 200 `PATIENCE` | How long to be patient; 0 not at all. |",
    );
  });
});

it("docs/options.md is what the table says", () => {
  const renew = "docs/options.md is not what src/options says: run `npx tsc && node scripts/options-doc.mjs`";
  expect(readFileSync(PAGE, "utf8"), renew).toBe(page(groups, allComments(), SOCKET_TYPES));
});

describe("rows", () => {
  const comments = allComments();
  const all = groups.flatMap((one) =>
    Object.entries(one.rows).map(([name, row]) => ({
      name,
      row,
      comment: comments[one.rows.constructor.name][name],
    })),
  );

  it.each(all)("the comment of $name says its default", ({ row, comment }) => {
    const said = /Default:? (.*?)\.?$/.exec(comment)?.[1] ?? "";
    if (row.shown !== undefined) return expect(said).not.toBe("");
    const values = [row.initial, ...Object.values(row.initialOf ?? {})].map((value) =>
      Array.isArray(value) ? "[]" : typeof value === "string" ? JSON.stringify(value) : String(value),
    );
    expect(values.some((value) => said.startsWith(value))).toBe(true);
  });

  it("two of one name differ in words and type only", () => {
    for (const { name, row } of all) {
      const first = rowsOf(groups)[name];
      for (const part of ["check", "initial", "live", "store", "read"] as const) {
        expect(first[part], `${name}: ${part}`).toBe(row[part]);
      }
    }
  });

  it("no number is given twice", () => {
    const numbers = numbersOf(rowsOf(groups)).map(([number]) => number);
    expect(new Set(numbers).size).toBe(numbers.length);
  });
});
