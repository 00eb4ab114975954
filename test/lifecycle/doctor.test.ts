/** `zwire doctor`, as a process of its own: what it finds is what is there. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { engine, version } from "../../src/index.js";
import { run } from "../support/command.js";

interface Finding {
  name: string;
  status: string;
  found: string;
  advice?: string;
}
interface Report {
  ok: boolean;
  sections: { title: string; findings: Finding[] }[];
}

/** Runs it with another environment. */
async function examine(environment: NodeJS.ProcessEnv = {}) {
  const before = { ...process.env };
  Object.assign(process.env, environment);
  onTestFinished(() => void (process.env = before));
  const { code, out } = await run(["doctor", "--json"]);
  const report = JSON.parse(out) as Report;
  const findings = report.sections.flatMap((section) => section.findings);
  return { code, report, of: (name: string) => findings.find((one) => one.name === name) };
}

describe("zwire doctor", () => {
  it("finds nothing wrong here, and says which engine this is", async () => {
    const { code, report, of } = await examine();
    expect(code).toBe(0);
    expect(report.ok).toBe(true);
    expect(of("zwire")?.found).toBe(version);
    expect(of("Node.js")?.found).toContain(process.versions.node);
    expect(of("engine")?.found).toMatch(new RegExp(`^${engine()}: `));
    for (const name of ["inproc", "tcp", "tcp, CURVE", "ws", "ipc"])
      expect(of(name)?.status, name).toBe("ok");
    if (process.platform === "linux")
      expect(of("shared memory of ipc")?.status).toBe(engine() === "native" ? "ok" : "skipped");
  });

  it("says how to get the native engine if the portable one is asked for", async () => {
    const { code, of } = await examine({ ZWIRE_ENGINE: "portable" });
    expect(code).toBe(0);
    expect(of("engine")).toMatchObject({ status: "warning", found: expect.stringContaining("ZWIRE_ENGINE") });
    expect(of("engine")?.advice).toContain("Unset");
  });

  it("fails with code 1 where ipc has no folder, and says what to set", async () => {
    const { code, report, of } = await examine({ TMPDIR: join(tmpdir(), "zwire-no-such-folder") });
    expect(code).toBe(1);
    expect(report.ok).toBe(false);
    expect(of("folder for ipc://*")).toMatchObject({
      status: "failure",
      advice: expect.stringContaining("TMPDIR"),
    });
    expect(of("ipc")?.found).toContain("TMPDIR");
    expect(of("tcp")?.status).toBe("ok");
  });

  it("fails where the folder's path is too long for a socket", async () => {
    const folder = mkdtempSync(join(tmpdir(), "x".repeat(110)));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const { code, of } = await examine({ TMPDIR: folder });
    expect(code).toBe(1);
    expect(of("folder for ipc://*")?.found).toMatch(/has \d+ bytes/);
    expect(of("ipc")?.status).toBe("failure");
  });

  it("prints a line for each finding, and what to do below it", async () => {
    const { code, out } = await run(["doctor"]);
    expect(code).toBe(0);
    expect(out).toContain(`Installed\n  ok       zwire: ${version}\n`);
    expect(out).toMatch(/Messages within this process\n {2}ok {7}inproc: 40 messages of 64 KiB\n/);
  });
});
