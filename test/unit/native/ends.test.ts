/** What the addon does at the end of a process or of a worker, tried in children. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { describe, expect, it, onTestFinished } from "vitest";
import { DEFAULTS, linux } from "../../support/native-sides.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

function call(text: string): string {
  return `const { createRequire } = require("node:module");
    const native = createRequire(${JSON.stringify(join(ROOT, "package.json"))})("node-gyp-build")(${JSON.stringify(ROOT)});
    const options = ${JSON.stringify(DEFAULTS)};
    const table = new Uint32Array(24576);
    const callbacks = {};
    for (const name of ["onConnect", "onBytes", "onFrames", "onLargeFrame", "onDrain", "onClose", "onAccept"])
      callbacks[name] = function (...args) { this[name]?.(...args); };
    callbacks.onShared = callbacks.onMemory = callbacks.onBody = callbacks.onPool = () => {};
    const binding = native.init(table, callbacks);
    function pair(then) {
      const acceptor = new native.Acceptor(binding);
      const near = { handle: new native.Stream(binding) };
      const far = {};
      acceptor.setOwner({ onAccept(status, stream) {
        far.handle = stream; stream.setOwner(far); then(near, far, acceptor);
      } });
      acceptor.listenTcp("127.0.0.1", 0, 10, true, options);
      near.handle.setOwner(near);
      near.handle.connectTcp("127.0.0.1", Number(acceptor.localAddress().split(":")[1]), options);
      near.onConnect = () => {};
    }
    ${text}`;
}

/** Runs a script in a process of its own; gives its end and what it said. */
async function child(
  text: string,
  shell = "",
): Promise<{ code: number | null; signal: string | null; out: string; err: string }> {
  const node = [process.execPath, "-e", call(text)];
  const process_ =
    shell === ""
      ? spawn(node[0], node.slice(1))
      : spawn("/bin/sh", ["-c", `${shell}; exec "$@"`, "sh", ...node]);
  onTestFinished(() => void process_.kill("SIGKILL"));
  let out = "";
  let err = "";
  process_.stdout.on("data", (data) => (out += data));
  process_.stderr.on("data", (data) => (err += data));
  return new Promise((resolve) =>
    process_.on("close", (code, signal) => resolve({ code, signal, out, err })),
  );
}
describe("an environment's end", () => {
  it("a process ends by itself when its streams are unref'ed, with data under way", async () => {
    const end = await child(`pair((near, far, acceptor) => {
      near.handle.start(); near.handle.write(Buffer.alloc(32 << 20));
      near.handle.unref(); far.handle.unref(); acceptor.unref(); console.log("open");
    });`);
    expect(end).toEqual({ code: 0, signal: null, out: "open\n", err: "" });
  });

  it("process.exit() inside a callback is clean", async () => {
    const end = await child(`pair((near, far) => {
      far.onFrames = () => process.exit(7);
      far.handle.startFrames(100, 100, 100, 100, Buffer.alloc(0)); far.handle.start();
      near.handle.write(Buffer.from([0, 1, 65, 0, 1, 66]));
    });`);
    expect([end.code, end.signal, end.err]).toEqual([7, null, ""]);
  });

  it("an error thrown in a callback is the process's uncaught exception, and the stream goes on", async () => {
    const end = await child(`pair((near, far, acceptor) => {
      let seen = 0;
      process.on("uncaughtException", (error) => console.log("uncaught", error.message));
      far.onFrames = (chunk, count) => {
        seen += count;
        if (seen === 3) { console.log("all"); far.handle.close(); near.handle.close(); acceptor.close(); }
        throw new Error("thrown");
      };
      far.handle.startFrames(100, 100, 100, 100, Buffer.alloc(0)); far.handle.start();
      // By the clock: each byte shall come by a callback of its own.
      const more = () => { if (seen < 3) { near.handle.write(Buffer.from([0, 1, 65])); setTimeout(more, 5); } };
      more();
    });`);
    expect(end).toEqual({
      code: 0,
      signal: null,
      out: "uncaught thrown\nuncaught thrown\nall\nuncaught thrown\n",
      err: "",
    });
  });

  it("a worker may be terminated at any moment", async () => {
    for (let round = 0; round < 12; round++) {
      const worker = new Worker(
        call(`pair((near, far) => {
          const { parentPort } = require("node:worker_threads");
          far.handle.startFrames(2 ** 40, 100, 100, 2 ** 41, Buffer.alloc(0));
          far.onFrames = far.onLargeFrame = () => { ${round % 2 === 0 ? "for (;;) {}" : ""} };
          far.handle.start();
          const wire = Buffer.alloc(300_000); wire[0] = 2; wire.writeUIntBE(100_000, 3, 6);
          near.onDrain = () => { if (near.handle.write(wire) === 0) setImmediate(near.onDrain); };
          near.onDrain();
          setTimeout(() => parentPort.postMessage("running"), ${round});
          parentPort.postMessage("running");
        });`),
        { eval: true },
      );
      await new Promise((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
      });
      expect(await worker.terminate()).toBe(1);
    }
  });

  it.skipIf(!linux)(
    "an acceptor out of descriptors goes on without spinning, and keeps the process alive",
    async () => {
      // Descriptors used up by files; nothing but the acceptor keeps the event loop alive meanwhile.
      const end = await child(
        `const fs = require("node:fs"), net = require("node:net");
      const acceptor = new native.Acceptor(binding);
      let failures = 0;
      acceptor.setOwner({ onAccept(status, stream) {
        if (stream === undefined) {
          failures++;
          if (failures === 1) console.log(native.errorName(status)[0]);
          if (failures === 3) { for (const fd of files) fs.closeSync(fd); }
          return;
        }
        console.log("accepted", failures, process.cpuUsage(before).user < 150_000);
        process.exit(0);
      } });
      acceptor.listenTcp("127.0.0.1", 0, 10, true, options);
      const port = Number(acceptor.localAddress().split(":")[1]);
      const near = { handle: new native.Stream(binding), onConnect() {} };
      near.handle.setOwner(near);
      near.handle.connectTcp("127.0.0.1", port, options);
      near.handle.unref();
      const files = [];
      try { for (;;) files.push(fs.openSync("/dev/null")); } catch (error) { if (error.code !== "EMFILE") throw error; }
      const before = process.cpuUsage();`,
        "ulimit -n 64",
      );
      expect(end).toEqual({ code: 0, signal: null, out: "EMFILE\naccepted 3 true\n", err: "" });
    },
  );
});
