/** A folder of keys that changes while it is read: a key that is there all the time is never missed, one that has gone is. */
import { renameSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { type KeyFile, type KeyFiles, readFolder } from "../../../src/access/key-files.js";
import { generateCertificate, writeCertificate } from "../../../src/index.js";
import { temporaryDirectory } from "../../support/helpers.js";

const SUFFIXES = [".key"];
let folder: string;
beforeEach(() => {
  folder = temporaryDirectory();
});

async function put(name: string): Promise<string> {
  const { publicKey } = generateCertificate();
  await writeCertificate(join(folder, name), { publicKey });
  return publicKey;
}

const move = (from: string, to: string) => renameSync(join(folder, from), join(folder, to));
const keysOf = (files: KeyFiles) => new Set([...files.values()].map((file) => file.certificate?.publicKey));

/** Files are read by name, 16 at once: a.key, then the hook of b20, c.key, and the hook of d30. */
async function filled(): Promise<KeyFiles> {
  for (const letter of "bd") for (let i = 10; i < 50; i++) await put(`${letter}${i}.key`);
  return readFolder(folder, SUFFIXES, new Map());
}

/** What was read before, which runs a function each time a file is looked at. */
function looking(before: KeyFiles, hooks: Record<string, () => unknown>): KeyFiles {
  const files = new Map(before);
  for (const [name, run] of Object.entries(hooks)) {
    const file = before.get(name) as KeyFile;
    const looked: KeyFile = {
      ...file,
      get stamp() {
        run();
        return file.stamp;
      },
    };
    files.set(name, looked);
  }
  return files;
}

/** Moves a.key to c.key before c.key is looked at, and back after that: but a reading may find it in the former place. */
function bouncing(before: KeyFiles, times: number): KeyFiles {
  let left = times;
  return looking(before, {
    "b20.key": () => left > 0 && move("c.key", "a.key"),
    "d30.key": () => left-- > 0 && move("a.key", "c.key"),
  });
}

describe("a key whose file is moved while the folder is read", () => {
  it("once, over another file, is there", async () => {
    const [other, ann] = [await put("a.key"), await put("c.key")];
    const before = await filled();
    let moved = 0;
    const files = looking(before, { "b20.key": () => moved++ === 0 && move("c.key", "a.key") });
    const keys = keysOf(await readFolder(folder, SUFFIXES, files));
    expect([keys.has(ann), keys.has(other), moved > 0]).toEqual([true, false, true]);
  });

  it("again and again, is there once one of some readings finds it", async () => {
    const ann = await put("c.key");
    const before = await filled();
    for (const times of [1, 2, 9])
      expect(keysOf(await readFolder(folder, SUFFIXES, bouncing(before, times))).has(ann)).toBe(true);
  });
});

describe("a key that has gone", () => {
  it("is missing at once, and others stay", async () => {
    const ann = await put("c.key");
    const before = await filled();
    unlinkSync(join(folder, "c.key"));
    const keys = keysOf(await readFolder(folder, SUFFIXES, before));
    expect([keys.has(ann), keys.size]).toEqual([false, 80]);
  });

  it("is missing though the folder goes on changing; one that goes meanwhile is at the next look", async () => {
    const [ann, bob] = [await put("a.key"), await put("c.key")];
    const before = await filled();
    unlinkSync(join(folder, "a.key"));
    let readings = 0;
    const changing = looking(before, {
      "b20.key": () => {
        if (readings++ === 2) unlinkSync(join(folder, "c.key"));
        writeFileSync(join(folder, `other${readings}`), "");
      },
    });
    const found = await readFolder(folder, SUFFIXES, changing);
    expect(keysOf(found).has(ann)).toBe(false);
    expect(keysOf(await readFolder(folder, SUFFIXES, found)).has(bob)).toBe(false);
  });
});
