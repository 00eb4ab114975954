import { renameSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { authenticators, passwordFile } from "../../../src/index.js";
import { ANN, entry, key, nobody, user } from "../../support/authentication.js";
import { temporaryDirectory } from "../../support/helpers.js";

let folder: string;
beforeEach(() => {
  folder = temporaryDirectory();
});

describe("passwords", () => {
  const TABLE = { ann: "pa55word", ünï: "pässword", empty: "", toString: "x" };

  it.each([TABLE, new Map(Object.entries(TABLE))])("of a table", async (table) => {
    const plain = authenticators.plain(table);
    for (const [name, password] of Object.entries(TABLE)) {
      expect(await entry(plain, user(name, password))).toBe(name);
      for (const wrong of [`${password}x`, password.slice(0, -1) || "y", `${password.toUpperCase()}!`])
        expect(await entry(plain, user(name, wrong))).toBeUndefined();
    }
    for (const name of ["", "Ann", "valueOf", "__proto__"])
      expect(await entry(plain, user(name, ""))).toBeUndefined();
    for (const other of [nobody(), key(ANN.publicKey)]) expect(await entry(plain, other)).toBeUndefined();
  });

  it.each([
    [5, TypeError],
    [null, TypeError],
    [["ann"], TypeError],
    [{ ann: 5 }, TypeError],
    [{ "": "x" }, RangeError],
    [{ ann: "x".repeat(256) }, RangeError],
    [{ ["a".repeat(256)]: "x" }, RangeError],
  ])("%j is no table", (table, error) => {
    expect(() => authenticators.plain(table as never)).toThrow(error);
  });

  it("an error does not say the password", () => {
    expect(() => authenticators.plain({ ann: "s".repeat(256) })).toThrow(/^(?!.*sss).*"ann".*255 bytes/);
  });

  it("of a file, which is read again when it has changed", async () => {
    const path = join(folder, "passwords");
    writeFileSync(path, "# comment\nann=pa=ss # word\r\n\nbob=b\n");
    utimesSync(path, 1000, 1000);
    const file = await passwordFile(path);
    expect(await entry(file.authenticate, user("ann", "pa=ss # word"))).toBe("ann");
    expect(await entry(file.authenticate, user("bob", "b"))).toBe("bob");
    writeFileSync(path, "bob=c\n");
    expect(await entry(file.authenticate, user("ann", "pa=ss # word"))).toBeUndefined();
    expect(await entry(file.authenticate, user("bob", "c"))).toBe("bob");
    writeFileSync(join(folder, "next"), "bob=d\n");
    renameSync(join(folder, "next"), path);
    expect(await Promise.all(["c", "d"].map((word) => entry(file.authenticate, user("bob", word))))).toEqual([
      undefined,
      "bob",
    ]);
  });

  it("a file that cannot be read keeps what it had, and tells once; one that is gone has no users", async () => {
    const path = join(folder, "passwords");
    writeFileSync(path, "ann=a\n");
    const file = await passwordFile(path);
    const told: Error[] = [];
    file.on("file:error", ({ error }) => told.push(error));
    writeFileSync(path, "ann=b\nbo");
    for (let i = 0; i < 3; i++) expect(await entry(file.authenticate, user("ann", "a"))).toBe("ann");
    expect(told.map(({ message }) => message)).toEqual([
      `Invalid argument: ${path}:2: must be: name=password`,
    ]);
    unlinkSync(path);
    expect(await entry(file.authenticate, user("ann", "a"))).toBeUndefined();
    writeFileSync(path, "ann=c\n");
    expect(await entry(file.authenticate, user("ann", "c"))).toBe("ann");
    expect(told).toHaveLength(2);
  });

  it("of a file that is new or wrong, a hundred strangers at once cause few readings", async () => {
    const path = join(folder, "passwords");
    writeFileSync(path, "ann=a\n");
    const file = await passwordFile(path);
    const readings = vi.spyOn(file, "reload");
    const crowd = () =>
      Promise.all(Array.from({ length: 100 }, () => entry(file.authenticate, user("eve", "e"))));
    expect(await crowd()).toEqual(Array(100).fill(undefined));
    expect(readings.mock.calls.length).toBeLessThan(4);
    writeFileSync(path, "ann=b\nwrong");
    await crowd();
    expect(readings.mock.calls.length).toBeLessThan(8);
    // Once it is old enough to be told from another, a wrong file is read once, and a right one in its place is seen.
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
    onTestFinished(() => void vi.useRealTimers());
    await crowd();
    readings.mockClear();
    for (let i = 0; i < 3; i++) await crowd();
    expect(readings).not.toHaveBeenCalled();
    expect(await entry(file.authenticate, user("ann", "a"))).toBe("ann");
    writeFileSync(path, "ann=c\n");
    expect(await entry(file.authenticate, user("ann", "c"))).toBe("ann");
  });

  it("of a file, two reload() at once read what was there when they were called", async () => {
    const path = join(folder, "passwords");
    writeFileSync(path, "ann=a\n");
    const file = await passwordFile(path);
    const first = file.reload();
    writeFileSync(path, "ann=b\n");
    await Promise.all([first, file.reload(), file.reload()]);
    unlinkSync(path);
    await expect(file.reload()).rejects.toMatchObject({ code: "ENOENT" });
    await expect(Promise.all([file.reload(), file.reload()])).rejects.toMatchObject({ code: "ENOENT" });
  });

  it.each([
    ["=x\n", ":1: the name is empty"],
    ["a=x\na=y\n", ":2: the name is there already"],
    [`a=${"x".repeat(256)}\n`, ":1: the password must have at most 255 bytes"],
    ["a=x\0\n", ": is not text in UTF-8"],
    ["#".repeat(4 * 1024 * 1024 + 1), ": has more than 4194304 bytes"],
  ])("a file of %j is refused", async (text, message) => {
    const path = join(folder, "passwords");
    writeFileSync(path, text);
    await expect(passwordFile(path)).rejects.toThrow(`${path}${message}`);
  });
});
