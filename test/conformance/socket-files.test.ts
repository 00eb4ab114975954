/** Who may use the files of ipc: modes, owners, and files that are there already. */
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { beforeEach, describe, expect, it } from "vitest";
import * as zwire from "../../src/index.js";
import { managed, temporaryDirectory, texts, within } from "../support/helpers.js";

const SOON = { timeout: 10_000 };

describe.skipIf(process.platform === "win32")("socket files", () => {
  const modeOf = (path: string) => statSync(path).mode & 0o777;
  let folder: string;
  beforeEach(() => {
    folder = temporaryDirectory();
  });

  it.each([0o600, 0o660, 0o666, 0o777])("ipcFileMode is what the file has: %o", async (mode) => {
    const before = process.umask(0o027);
    try {
      const pull = managed(new zwire.Pull({ ipcFileMode: mode }));
      const path = join(folder, "s");
      expect(await pull.bind(`ipc://${path}`)).toBe(`ipc://${path}`);
      expect(modeOf(path)).toBe(mode);
      const sync = managed(new zwire.Pull({ ipcFileMode: mode }));
      sync.bindSync(`ipc://${path}2`);
      expect(modeOf(`${path}2`)).toBe(mode);
      const push = managed(new zwire.Push());
      push.connect(`ipc://${path}`);
      await push.send("hello", SOON);
      expect(texts(await pull.receive(SOON))).toEqual(["hello"]);
      expect(readdirSync(folder).sort()).toEqual(["s", "s2"]);
      await Promise.all([pull.close(), sync.close()]);
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      process.umask(before);
    }
  });

  it("null leaves the permissions to the umask", async () => {
    const before = process.umask(0o077);
    try {
      const pull = managed(new zwire.Pull());
      await pull.bind(`ipc://${folder}/s`);
      expect(modeOf(`${folder}/s`)).toBe(0o700);
    } finally {
      process.umask(before);
    }
  });

  it("nobody can connect before the file has them: it is made where nobody else can enter", async () => {
    // Another thread looks all the time: every socket that it finds in the folder has the permissions.
    const over = new Int32Array(new SharedArrayBuffer(4));
    const source = `
      const { readdirSync, statSync } = require("node:fs");
      const { parentPort, workerData } = require("node:worker_threads");
      const seen = new Set();
      let looks = 0;
      parentPort.postMessage("ready");
      while (Atomics.load(workerData.over, 0) === 0) {
        looks++;
        for (const name of readdirSync(workerData.folder)) {
          const stat = statSync(workerData.folder + "/" + name, { throwIfNoEntry: false });
          if (stat !== undefined) seen.add((stat.isSocket() ? "socket " : "folder ") + (stat.mode & 0o777).toString(8));
        }
      }
      parentPort.postMessage([looks, ...seen]);`;
    const watcher = new Worker(source, { eval: true, workerData: { over, folder } });
    await once(watcher, "message");
    for (let i = 0; i < 100; i++) {
      const pull = new zwire.Pull({ ipcFileMode: 0o600 });
      await pull.bind(`ipc://${folder}/s`);
      await pull.close();
    }
    const told = once(watcher, "message");
    Atomics.store(over, 0, 1);
    const [[looks, ...seen]] = await told;
    expect(looks).toBeGreaterThan(1);
    expect(seen.filter((one: string) => one !== "socket 600" && one !== "folder 700")).toEqual([]);
  });

  it("a temporary path has them too (R15)", async () => {
    const pull = managed(new zwire.Pull({ ipcFileMode: 0o640 }));
    expect(modeOf((await pull.bind("ipc://*")).slice("ipc://".length))).toBe(0o640);
  });

  it("a stale socket is replaced, a file that is none stays (R13)", async () => {
    const path = join(folder, "s");
    writeFileSync(path, "data");
    const pull = managed(new zwire.Pull({ ipcFileMode: 0o600 }));
    await expect(pull.bind(`ipc://${path}`)).rejects.toMatchObject({ code: "EADDRINUSE" });
    await expect(pull.bind(`ipc://${folder}/none/s`)).rejects.toMatchObject({ code: "ENOENT" });
    expect(readdirSync(folder)).toEqual(["s"]);
  });

  it("leaves nothing behind where the path is too long, or the folder closed", async () => {
    const pull = managed(new zwire.Pull({ ipcFileMode: 0o600 }));
    const long = join(folder, "x".repeat(107 - folder.length - 1));
    mkdirSync(join(folder, "closed"));
    const deep = join(folder, "y".repeat(60));
    mkdirSync(deep);
    await expect(pull.bind(`ipc://${join(deep, "z".repeat(200))}`)).rejects.toMatchObject({
      code: "ENAMETOOLONG",
    });
    await pull.bind(`ipc://${long}`); // the folder's name counts, and not the file's
    expect(modeOf(long)).toBe(0o600);
    if (process.getuid?.() !== 0) {
      chmodSync(join(folder, "closed"), 0o500);
      await expect(pull.bind(`ipc://${folder}/closed/s`)).rejects.toMatchObject({ code: "EACCES" });
    }
    expect(readdirSync(join(folder, "closed"))).toEqual([]);
  });

  it("an abstract name and a descriptor of somebody else's have no file of ours: EINVAL", async () => {
    const pull = managed(new zwire.Pull({ ipcFileMode: 0o600 }));
    if (pull.engine === "native" && process.platform === "linux") {
      await expect(pull.bind("ipc://@zwire-mode")).rejects.toMatchObject({ code: "EINVAL" });
    }
    pull.useFd = 99;
    await expect(pull.bind(`ipc://${folder}/s`)).rejects.toMatchObject({ code: "EINVAL" });
  });

  it("0o000 lets in nobody but root", async () => {
    const pull = managed(new zwire.Pull({ ipcFileMode: 0 }));
    const endpoint = await pull.bind(`ipc://${folder}/s`);
    expect(modeOf(`${folder}/s`)).toBe(0);
    if (process.getuid?.() === 0) return;
    const stream = createConnection(endpoint.slice("ipc://".length));
    const error = await within(
      new Promise<NodeJS.ErrnoException>((resolve) => stream.once("error", resolve)),
      "EACCES",
    );
    expect(error.code).toBe("EACCES");
  });
});
