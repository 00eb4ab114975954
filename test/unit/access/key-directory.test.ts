/** A folder of keys: what counts, how changes come, what half-written files and a folder that is away do. */
import {
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import {
  type Certificate,
  generateCertificate,
  type KeyDirectory,
  type KeyDirectoryOptions,
  keyDirectory,
  writeCertificate,
  z85Decode,
} from "../../../src/index.js";
import { keyWatchOf } from "../../../src/security/key-watch.js";
import { key, user } from "../../support/authentication.js";
import { temporaryDirectory, until } from "../../support/helpers.js";

let folder: string;
beforeEach(() => {
  folder = temporaryDirectory();
});

const AT_REST = { watch: false, checkInterval: 0 };
const NO_SIGNAL = new AbortController().signal;

async function opened(options?: KeyDirectoryOptions, path = folder): Promise<KeyDirectory> {
  const keys = await keyDirectory(path, options);
  onTestFinished(() => keys.close());
  return keys;
}

async function put(name: string, certificate: Certificate = generateCertificate()): Promise<string> {
  await writeCertificate(
    join(folder, name),
    { publicKey: certificate.publicKey, metadata: certificate.metadata },
    { force: true },
  );
  return certificate.publicKey;
}

const known = (keys: KeyDirectory) => [...keys.certificates.keys()].sort();

const ask = (keys: KeyDirectory, publicKey: string) =>
  Promise.resolve(keys.authenticate(key(publicKey), NO_SIGNAL));
const REFUSED = { status: 400, text: "unknown key" };

/** Everything that the folder tells. */
function told(keys: KeyDirectory) {
  const events: { type: string; publicKey?: string; file?: string; error?: Error }[] = [];
  for (const type of ["add", "remove", "file:error", "directory:error"] as const)
    keys.on(type, (event) => events.push({ type, ...event }));
  return events;
}

describe("what counts", () => {
  it("*.key and *.cert, no hidden, secret or other files, no folders; a file of CZMQ and of pyzmq", async () => {
    const vectors = join(import.meta.dirname, "../../vectors/certificates");
    for (const name of ["czmq.cert", "pyzmq.key"])
      writeFileSync(join(folder, name), readFileSync(join(vectors, name)));
    await writeCertificate(join(folder, "pair.key"), generateCertificate());
    const both = known(await opened(AT_REST));
    expect(both).toHaveLength(3);
    for (const name of [".hidden.key", "old.key~", "ann.key.revoked", "README", "x_secret"]) await put(name);
    mkdirSync(join(folder, "folder.key"));
    const keys = await opened(AT_REST);
    expect(known(keys)).toEqual(both);
    expect(keys.size).toBe(3);
    expect(keys.errors.size).toBe(0);
    expect(known(await opened({ ...AT_REST, suffixes: [".cert"] }))).toHaveLength(1);
  });

  it("a link to a file counts as the file, and one to nothing is not there", async () => {
    const key = await put("ann.txt");
    symlinkSync(join(folder, "ann.txt"), join(folder, "ann.key"));
    symlinkSync(join(folder, "none"), join(folder, "none.key"));
    const keys = await opened(AT_REST);
    expect(known(keys)).toEqual([key]);
    expect(keys.errors.size).toBe(0);
  });

  it("lets in with the key as user id, and the metadata that can be a peer's", async () => {
    const certificate = generateCertificate({
      name: "Ann",
      "a@b": "no name of a property",
      "User-ID": "root",
      "socket-type": "REP",
    });
    await put("ann.key", certificate);
    const keys = await opened(AT_REST);
    expect(await ask(keys, certificate.publicKey)).toEqual({
      status: 200,
      text: "OK",
      userId: certificate.publicKey,
      metadata: new Map([["name", Buffer.from("Ann")]]),
    });
    expect(await ask(keys, generateCertificate().publicKey)).toEqual(REFUSED);
  });

  it("metadata of any size lets in", async () => {
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`n${i}`, "x".repeat(900)]));
    const certificate = generateCertificate(many);
    await put("ann.key", certificate);
    const answer = (await ask(await opened(AT_REST), certificate.publicKey)) as unknown as {
      metadata: Map<string, Buffer>;
    };
    expect(answer.metadata.size).toBeGreaterThan(10);
    expect(answer.metadata.size).toBeLessThan(20);
  });

  it("other mechanisms are refused", async () => {
    const keys = await opened(AT_REST);
    const plain = user("a", "b");
    expect(await keys.authenticate(plain, NO_SIGNAL)).toMatchObject({ status: 400 });
  });
});

describe.each([
  ["by the file system", { checkInterval: 0 }],
  ["by looking", { watch: false, checkInterval: 20 }],
])("changes come %s", (_, options) => {
  it("a new file, one that is replaced, one that is renamed, one that is removed", async () => {
    const one = await put("one.key");
    const keys = await opened(options);
    const events = told(keys);
    expect(known(keys)).toEqual([one]);

    const two = await put("two.key");
    await until(() => keys.has(two), "the new key");
    const other = await put("two.key");
    await until(() => keys.has(other) && !keys.has(two), "the replaced key");
    renameSync(join(folder, "two.key"), join(folder, "three.key"));
    writeFileSync(join(folder, "marker.key"), "nothing");
    await until(() => keys.errors.size === 1, "a reading after the renaming");
    unlinkSync(join(folder, "three.key"));
    await until(() => !keys.has(other), "the removed key");
    expect(known(keys)).toEqual([one]);
    await until(() => events.length === 5, "the events");
    expect(events.map(({ type, publicKey }) => [type, publicKey])).toEqual([
      ["add", two],
      ["remove", two],
      ["add", other],
      ["file:error", undefined],
      ["remove", other],
    ]);
  });

  it("another folder of the same name is followed, and one that is away keeps what was known", async () => {
    const path = join(folder, "keys");
    mkdirSync(path);
    mkdirSync(join(folder, "next"));
    const one = await put("keys/one.key");
    const two = await put("next/two.key");
    const keys = await opened({ ...options, checkInterval: 20 }, path);
    const events = told(keys);
    renameSync(path, join(folder, "former"));
    await until(() => events.some(({ type }) => type === "directory:error"), "the folder is away");
    expect(known(keys)).toEqual([one]);
    expect(await ask(keys, one)).toMatchObject({ status: 200 });
    renameSync(join(folder, "next"), path);
    await until(() => keys.has(two) && !keys.has(one), "the other folder");
    const three = await put("keys/three.key");
    await until(() => keys.has(three), "a change in the other folder");
    expect(events.filter(({ type }) => type === "directory:error")).toHaveLength(1);
  });
});

describe("a file that cannot be read", () => {
  it("keeps the key that it had, and tells so once; whole again, it counts", async () => {
    const one = await put("one.key");
    const file = join(folder, "one.key");
    const whole = readFileSync(file, "utf8");
    const keys = await opened(AT_REST);
    const events = told(keys);
    for (let length = whole.length - 3; length > 0; length -= 7) {
      truncateSync(file, length);
      await keys.reload();
      expect(known(keys)).toEqual([one]);
      expect(keys.errors.get(file)).toMatchObject({ code: "EINVAL" });
    }
    writeFileSync(file, "");
    await keys.reload();
    await keys.reload();
    await until(() => events.length > 1, "the events");
    const messages = events.map(({ error }) => error!.message);
    expect(new Set(messages).size).toBe(messages.length); // each fault once
    expect(
      events.every(
        ({ type, publicKey, file: about }) => type === "file:error" && publicKey === one && about === file,
      ),
    ).toBe(true);
    const two = await put("one.key");
    await keys.reload();
    expect(known(keys)).toEqual([two]);
    expect(keys.errors.size).toBe(0);
  });

  it("lets nobody in if it never was a certificate; a FIFO stops nothing", async () => {
    const one = await put("one.key");
    writeFileSync(join(folder, "a.key"), "curve\n");
    writeFileSync(join(folder, "b.key"), Buffer.alloc(100_000));
    if (process.platform !== "win32")
      (await import("node:child_process")).execFileSync("mkfifo", [join(folder, "c.key")]);
    const keys = await opened(AT_REST);
    expect(known(keys)).toEqual([one]);
    expect(keys.errors.size).toBe(process.platform === "win32" ? 2 : 3);
  });

  it("of two files with one key, the key goes with the second", async () => {
    const certificate = generateCertificate();
    await put("one.key", certificate);
    await put("two.key", certificate);
    const keys = await opened(AT_REST);
    unlinkSync(join(folder, "one.key"));
    await keys.reload();
    expect(known(keys)).toEqual([certificate.publicKey]);
    unlinkSync(join(folder, "two.key"));
    await keys.reload();
    expect(known(keys)).toEqual([]);
  });

  it("a change that leaves size and time as they were is seen", async () => {
    await put("one.key", generateCertificate());
    const file = join(folder, "one.key");
    const time = new Date("2020-01-01");
    utimesSync(file, time, time);
    const keys = await opened(AT_REST);
    const two = await put("other");
    writeFileSync(file, readFileSync(join(folder, "other")));
    utimesSync(file, time, time);
    await keys.reload();
    expect(known(keys)).toEqual([two]);
  });
});

describe("a key that is not known", () => {
  it("is looked for before it is refused, though nobody tells of its file", async () => {
    const keys = await opened(AT_REST);
    for (let i = 0; i < 3; i++) {
      const key = await put(`${i}.key`);
      expect(await ask(keys, key)).toMatchObject({ status: 200, userId: key });
    }
  });

  it("a hundred strangers at once make few looks, and the one with a new file among them comes in", async () => {
    const keys = await opened(AT_REST);
    const looks = vi.spyOn(keys, "reload");
    const strangers = Array.from({ length: 100 }, () => ask(keys, generateCertificate().publicKey));
    const key = await put("late.key");
    const late = ask(keys, key);
    expect(await Promise.all(strangers)).toEqual(Array(100).fill(REFUSED));
    expect(await late).toMatchObject({ status: 200 });
    expect(looks.mock.calls.length).toBeLessThan(4);
  });
});

describe("what is told to sockets", () => {
  it("that keys have gone, after they have", async () => {
    const [one, two] = [await put("one.key"), await put("two.key")];
    const keys = await opened(AT_REST);
    const watch = keyWatchOf(keys.authenticate)!;
    const passes = (key: string) => watch.passes(z85Decode(key), "");
    const calls: boolean[][] = [];
    const undo = watch.watch!(() => calls.push([passes(one), passes(two)]));
    await put("three.key");
    await keys.reload();
    expect(calls).toEqual([]);
    unlinkSync(join(folder, "one.key"));
    await keys.reload();
    expect(calls).toEqual([[false, true]]);
    undo();
    unlinkSync(join(folder, "two.key"));
    await keys.reload();
    expect(calls).toHaveLength(1);
  });
});

describe("the end", () => {
  it("closed, it lets nobody in and looks no more, and who is in stays", async () => {
    const one = await put("one.key");
    const keys = await keyDirectory(folder, { checkInterval: 1 });
    const reloading = keys.reload();
    await keys.close();
    await reloading;
    expect(await ask(keys, one)).toMatchObject({ status: 500 });
    expect(keyWatchOf(keys.authenticate)!.passes(z85Decode(one), "")).toBe(true);
    await expect(keys.reload()).rejects.toMatchObject({ code: "EBADF" });
    await keys.close();
  });

  it("a listener that throws does not end the reading", async () => {
    const keys = await opened(AT_REST);
    const thrown = new Promise((resolve) => process.prependOnceListener("uncaughtException", resolve));
    const others = process.listeners("uncaughtException").slice(1);
    for (const one of others) process.off("uncaughtException", one);
    keys.once("add", () => {
      throw new Error("of the listener");
    });
    await put("one.key");
    await keys.reload();
    expect(await thrown).toMatchObject({ message: "of the listener" });
    for (const one of others) process.on("uncaughtException", one);
    await put("two.key");
    await keys.reload();
    expect(keys.size).toBe(2);
  });

  it("a folder that is not there, and wrong arguments", async () => {
    await expect(keyDirectory(join(folder, "none"))).rejects.toMatchObject({ code: "ENOENT" });
    await put("file");
    await expect(keyDirectory(join(folder, "file"))).rejects.toMatchObject({ code: "ENOTDIR" });
    await expect(keyDirectory(5 as never)).rejects.toThrow("path must be a string; got number");
    for (const options of [
      5,
      null,
      { sufixes: [] },
      { suffixes: [] },
      { suffixes: [""] },
      { checkInterval: "1" },
      { watch: 1 },
    ])
      await expect(keyDirectory(folder, options as never)).rejects.toThrow(TypeError);
    for (const checkInterval of [-1, 0.5, 2 ** 31])
      await expect(keyDirectory(folder, { checkInterval })).rejects.toThrow(
        "checkInterval must be an integer from 0 to 2147483647 ms",
      );
    const keys = await opened(AT_REST);
    expect(() => keys.on("added" as never, () => {})).toThrow('there is no event "added"');
  });
});
