/**
 * The end of a program: one that closes its sockets exits by itself; process.exit() or an uncaught error in mid-traffic
 * never crashes it. Every child's exit code and signal is looked at.
 */
import { readdirSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { Pull } from "../../src/index.js";
import { startChild } from "../support/child.js";
import { managed, temporaryDirectory } from "../support/helpers.js";
import { exitInTraffic } from "../support/suites/exits.js";

const ENDPOINTS = ["tcp://127.0.0.1:*", "ipc://*"];

describe("a program that lets go of its sockets exits by itself", () => {
  it.each([
    ["closes", "closes sockets of all types over all transports, with receives and requests pending"],
    ["lingers", "closes a socket whose peer never comes, when linger is over"],
    ["unused", "made sockets and did not use them"],
    ["unref", "unref()ed its open sockets"],
  ])("%s: %s", async (scenario) => {
    const { code, signal, stderr, stdout, milliseconds } = await startChild("exits.mjs", [scenario]).ended;
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
    expect(stdout).toMatch(/closed|unref/);
    expect(milliseconds).toBeLessThan(25_000); // the default linger is longer
  });

  it.each(["unref-after", "unref-before"])(
    "an attempt to connect does not hold it either (%s)",
    async (scenario) => {
      const silent = createServer(() => {}); // a SOCKS proxy that never answers
      await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
      onTestFinished(() => void silent.close());
      const { port } = silent.address() as AddressInfo;
      const child = startChild("exits.mjs", [scenario, `127.0.0.1:${port}`]);
      const { code, stderr, milliseconds } = await child.ended;
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(milliseconds).toBeLessThan(25_000); // the attempt would take 30 s and 60 s
    },
  );

  it("an open socket keeps the process alive", async () => {
    const child = startChild("exits.mjs", ["open"]);
    await child.line((line) => line.event === "open", "the child");
    // A child that lets go of its sockets starts later and ends earlier.
    expect((await startChild("exits.mjs", ["unref"]).ended).code).toBe(0);
    expect(child.process.exitCode).toBeNull();
    child.kill("SIGTERM");
    expect((await child.ended).signal).toBe("SIGTERM");
  });

  it.each(ENDPOINTS)(
    "what was sent before close() arrives although nobody waits for it (%s)",
    async (endpoint) => {
      const pull = managed(new Pull());
      const child = startChild("exits.mjs", ["flushes", await pull.bind(endpoint)]);
      for (let i = 0; i < 2000; i++)
        expect((await pull.receive({ timeout: 10_000 }))[0].toString()).toBe(`${i}`);
      expect(await child.ended).toMatchObject({ code: 0, signal: null, stderr: "" });
    },
  );
});

describe("an end in mid-traffic never crashes", () => {
  for (const endpoint of ENDPOINTS) {
    it(`process.exit(), four times, over ${endpoint}`, () => exitInTraffic(endpoint, 2));

    it(`process.exit() inside a message listener, over ${endpoint}`, async () => {
      const { code, signal, stderr } = await startChild("exits.mjs", ["listener", endpoint]).ended;
      expect({ code, signal, stderr }).toEqual({ code: 7, signal: null, stderr: "" });
    });

    it.each(["throws", "rejects"])(
      `an uncaught error (%s) over ${endpoint} ends with its own trace`,
      async (scenario) => {
        const { code, signal, stderr } = await startChild("exits.mjs", [scenario, endpoint]).ended;
        expect({ code, signal }).toEqual({ code: 1, signal: null });
        expect(stderr).toContain("in mid-traffic");
      },
    );
  }
});

it.each(["exits", "throws"])("a process that %s leaves no socket file behind", async (how) => {
  const folder = temporaryDirectory();
  const child = startChild("exits.mjs", ["bound", how], [], { TMPDIR: folder });
  const { code } = await child.ended;
  expect(code).toBe(how === "exits" ? 7 : 1);
  expect(child.lines[0]).toMatchObject({ event: "bound", there: [true, true] });
  expect(readdirSync(folder)).toEqual([]);
});

describe("listeners of events that throw", () => {
  it.each(ENDPOINTS)("are uncaught exceptions, and the connection goes on (%s)", async (endpoint) => {
    const child = startChild("throwing-listeners.mjs", [endpoint]);
    const { code, stderr } = await child.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(child.lines[0]).toEqual({ received: "through" });
    const thrown = (child.lines[1] as { caught: string[] }).caught;
    expect(thrown).toEqual(
      expect.arrayContaining([
        "pull accept",
        "pull bind",
        "pull close",
        "pull end",
        "pull handshake",
        "push connect",
        "push handshake",
      ]),
    );
  });
});
