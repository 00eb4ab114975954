/**
 * Section R, ipc: files, temporary names, abstract names.
 */
import { once } from "node:events";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import * as zmq from "zeromq";
import { Pull, Push } from "../../src/index.js";
import { Pull as DropInPull } from "../../src/zeromq.js";
import { managed, rawConnected, rawDial, record, temporaryDirectory, texts } from "../support/helpers.js";

const LINUX = process.platform === "linux";
// node:net pads abstract names with NUL bytes to the full length, so no other library would meet it there.
const ABSTRACT = LINUX && process.env.ZWIRE_ENGINE !== "portable";
if (!ABSTRACT) console.log("abstract ipc names are skipped: they need Linux and the native engine");

async function passes(endpoint: string, pull: Pull) {
  const push = managed(new Push());
  push.connect(endpoint);
  await push.send("x", { timeout: 20_000 });
  expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["x"]);
}

let names = 0;
const abstractName = () => `ipc://@zwire-test-${process.pid}-${names++}`;

describe("ipc endpoints", () => {
  it.skipIf(process.platform === "win32")(
    "a path that cannot be looked at any more is told, and listening ends all the same (R13)",
    async () => {
      const directory = temporaryDirectory();
      const inner = join(directory, "d");
      mkdirSync(inner);
      const pull = managed(new Pull());
      const events = record(pull);
      const endpoint = await pull.bind(`ipc://${inner}/s`);
      renameSync(inner, join(directory, "moved"));
      symlinkSync(inner, inner); // ELOOP
      await pull.unbind(endpoint);
      expect((await events.next("close:error")).error).toMatchObject({ code: "ELOOP" });
      await expect(rawDial(`ipc://${directory}/moved/s`)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    },
  );

  it("a stale socket file is replaced (R13)", async () => {
    const directory = temporaryDirectory();
    const [served, path] = [join(directory, "served"), join(directory, "s")];
    const server = createServer().listen(served);
    await once(server, "listening");
    linkSync(served, path); // stays when the server goes
    await new Promise((resolve) => server.close(resolve));
    const pull = managed(new Pull());
    expect(await pull.bind(`ipc://${path}`)).toBe(`ipc://${path}`);
    await passes(`ipc://${path}`, pull);
  });

  it("a path that is served is EADDRINUSE, and goes on to be served (R13)", async () => {
    const path = join(temporaryDirectory(), "s");
    const first = managed(new Pull());
    await first.bind(`ipc://${path}`);
    await expect(managed(new Pull()).bind(`ipc://${path}`)).rejects.toMatchObject({
      code: "EADDRINUSE",
      address: `ipc://${path}`,
    });
    await passes(`ipc://${path}`, first);
  });

  it("bindSync, which cannot look, takes a served path, and so does zwire/zeromq (R13)", async () => {
    const path = join(temporaryDirectory(), "s");
    await managed(new Pull()).bind(`ipc://${path}`);
    const second = managed(new Pull());
    second.bindSync(`ipc://${path}`);
    await passes(`ipc://${path}`, second);
    const third = new DropInPull();
    onTestFinished(() => third.close());
    await third.bind(`ipc://${path}`);
    const push = managed(new Push());
    push.connect(`ipc://${path}`);
    await push.send("x", { timeout: 20_000 });
    expect(texts(await third.receive())).toEqual(["x"]);
  });

  it.each(["close", "unbind"] as const)(
    "%s without waiting, then bind: the old socket does not take the new one's file away (R14)",
    async (how) => {
      const path = join(temporaryDirectory(), "s");
      for (const bind of ["bind", "bindSync"] as const) {
        const old = managed(new Pull());
        await old.bind(`ipc://${path}`);
        const gone = how === "close" ? old.close() : old.unbind(`ipc://${path}`);
        const pull = managed(new Pull());
        await pull[bind](`ipc://${path}`);
        await gone;
        await passes(`ipc://${path}`, pull);
        await pull.close();
        expect(existsSync(path)).toBe(false);
      }
    },
  );

  it("unbindSync, then bindSync at once: the path is served (R14)", async () => {
    const endpoint = `ipc://${join(temporaryDirectory(), "s")}`;
    const pull = new DropInPull();
    onTestFinished(() => pull.close());
    for (let i = 0; i < 3; i++) {
      pull.bindSync(endpoint);
      pull.unbindSync(endpoint);
    }
    pull.bindSync(endpoint);
    const push = managed(new Push());
    push.connect(endpoint);
    await push.send("x", { timeout: 20_000 });
    expect(texts(await pull.receive())).toEqual(["x"]);
  });

  it("a file that is no socket is somebody's data and stays (R13)", async () => {
    const path = join(temporaryDirectory(), "data");
    writeFileSync(path, "precious");
    await expect(managed(new Pull()).bind(`ipc://${path}`)).rejects.toMatchObject({ code: "EADDRINUSE" });
    expect(statSync(path).size).toBe(8);
  });

  it.each(["unbind", "close"] as const)(
    "%s removes the file that is ours, and nothing else (R14)",
    async (how) => {
      const directory = temporaryDirectory();
      const path = join(directory, "s");
      const pull = managed(new Pull());
      const endpoint = await pull.bind(`ipc://${path}`);
      expect(readdirSync(directory)).toEqual(["s"]);
      if (how === "unbind") await pull.unbind(endpoint);
      else await pull.close();
      expect(readdirSync(directory)).toEqual([]);
    },
  );

  it("a file that another socket has taken since is left alone (R14)", async () => {
    const path = join(temporaryDirectory(), "s");
    const first = managed(new Pull());
    const second = managed(new Pull());
    await first.bind(`ipc://${path}`);
    second.bindSync(`ipc://${path}`);
    await first.close();
    expect(existsSync(path)).toBe(true);
    await passes(`ipc://${path}`, second);
  });

  it("ipc://* binds tmpXXXXXX/socket under the temporary directory, mode 0700, and removes both (R15)", async () => {
    const pull = managed(new Pull());
    const endpoint = await pull.bind("ipc://*");
    const path = endpoint.slice("ipc://".length);
    expect(path).toMatch(/tmp[^/]{6}\/socket$/);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    await passes(endpoint, pull);
    await pull.unbind(endpoint);
    expect(existsSync(dirname(path))).toBe(false);
  });

  it.each(["TMPDIR", "TEMPDIR", "TMP"])("%s says where temporary names go (R15)", async (variable) => {
    const saved = { ...process.env };
    const directory = temporaryDirectory();
    for (const name of ["TMPDIR", "TEMPDIR", "TMP"]) delete process.env[name];
    process.env[variable] = directory;
    try {
      const endpoint = await managed(new Pull()).bind("ipc://*");
      expect(dirname(dirname(endpoint.slice("ipc://".length)))).toBe(directory);
    } finally {
      for (const name of ["TMPDIR", "TEMPDIR", "TMP"]) {
        if (saved[name] === undefined) delete process.env[name];
        else process.env[name] = saved[name];
      }
    }
  });

  it.skipIf(!ABSTRACT)("an abstract name works, keeps its @ and leaves no file (R16)", async () => {
    const pull = managed(new Pull());
    const name = abstractName();
    expect(await pull.bind(name)).toBe(name);
    expect(pull.lastEndpoint).toBe(name);
    await passes(name, pull);
    expect(existsSync(name.slice("ipc://".length))).toBe(false);
  });

  it.skipIf(!ABSTRACT)("an abstract name has no trailing NUL: libzmq and we meet at it (R16)", async () => {
    const pull = managed(new Pull());
    const [dialling, bound] = [new zmq.Push({ linger: 0 }), new zmq.Push({ linger: 0 })];
    dialling.connect(await pull.bind(abstractName()));
    await dialling.send("dialling");
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["dialling"]);
    const name = abstractName();
    await bound.bind(name);
    pull.connect(name);
    await bound.send("bound");
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["bound"]);
    dialling.close();
    bound.close();
  });

  it.skipIf(!ABSTRACT)(
    "a second bind of an abstract name gives EADDRINUSE, and unbind frees it (R16)",
    async () => {
      const name = abstractName();
      const first = managed(new Pull());
      await first.bind(name);
      await expect(managed(new Pull()).bind(name)).rejects.toMatchObject({ code: "EADDRINUSE" });
      await first.unbind(name);
      await managed(new Pull()).bind(name);
    },
  );

  it.skipIf(!LINUX || ABSTRACT)(
    "an abstract name on the portable engine is refused with ENOTSUP, not garbled (R16)",
    async () => {
      const error = expect.objectContaining({ name: "ZmqError", code: "ENOTSUP" });
      await expect(managed(new Pull()).bind(abstractName())).rejects.toEqual(error);
      const push = managed(new Push({ reconnectInterval: 10 }));
      const events = record(push);
      try {
        push.connect(abstractName());
        expect((await events.next("connect:retry")).error).toEqual(error);
      } catch (thrown) {
        expect(thrown).toEqual(error);
      }
    },
  );

  it("a bare @ gives EINVAL (R16)", async () => {
    await expect(managed(new Pull()).bind("ipc://@")).rejects.toMatchObject({ code: "EINVAL" });
    expect(() => managed(new Push()).connect("ipc://@")).toThrow(expect.objectContaining({ code: "EINVAL" }));
  });

  it("a path over 107 octets gives ENAMETOOLONG, on bind and connect (R17)", async () => {
    const endpoint = `ipc:///tmp/${"x".repeat(120)}`;
    await expect(managed(new Pull()).bind(endpoint)).rejects.toMatchObject({
      code: "ENAMETOOLONG",
      address: endpoint,
    });
    expect(() => managed(new Push()).connect(endpoint)).toThrow(
      expect.objectContaining({ code: "ENAMETOOLONG" }),
    );
  });

  it.skipIf(!LINUX)("a path of exactly 107 octets works (R17)", async () => {
    const directory = temporaryDirectory();
    const path = join(directory, "x".repeat(107 - directory.length - 1));
    const pull = managed(new Pull());
    expect(await pull.bind(`ipc://${path}`)).toBe(`ipc://${path}`);
    await passes(`ipc://${path}`, pull);
  });

  it("a missing directory gives ENOENT (R17)", async () => {
    const endpoint = `ipc://${temporaryDirectory()}/missing/s`;
    await expect(managed(new Pull()).bind(endpoint)).rejects.toMatchObject({
      code: "ENOENT",
      address: endpoint,
    });
  });

  it("the file's permissions follow the umask (R18)", async () => {
    const directory = temporaryDirectory();
    const saved = process.umask(0o027);
    try {
      await managed(new Pull()).bind(`ipc://${directory}/s`);
      expect(statSync(join(directory, "s")).mode & 0o777).toBe(0o750);
    } finally {
      process.umask(saved);
    }
  });

  it("a dialling socket connects when the file appears later, whatever was there before", async () => {
    const directory = join(temporaryDirectory(), "later");
    const push = managed(new Push({ reconnectInterval: 10 }));
    const events = record(push);
    push.connect(`ipc://${directory}/s`);
    await events.next("connect:retry", 2);
    mkdirSync(directory);
    const pull = managed(new Pull());
    await pull.bind(`ipc://${directory}/s`);
    await push.send("x", { timeout: 20_000 });
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["x"]);
  });

  it("a peer over ipc is named by its endpoint", async () => {
    const pull = managed(new Pull());
    const endpoint = await pull.bind("ipc://*");
    await rawConnected(endpoint, { type: "PUSH" });
    await pull.connected({ timeout: 20_000 });
    expect(pull.peers[0].address).toBe(endpoint);
  });
});
