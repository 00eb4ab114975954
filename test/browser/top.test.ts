/** The page of `zwire top --web`: in Chromium on a desk's and a phone's width, and whom its server refuses. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";
import { describe, expect, it, onTestFinished } from "vitest";
import { openMonitor, Pull, Push } from "../../src/index.js";
import { CHROMIUM, NO_CHROMIUM } from "../support/browser/chromium.js";
import { managed, until, within } from "../support/helpers.js";

const COMMAND = resolve(import.meta.dirname, "../../dist/cli/zwire.js");

/** Starts the command at a monitor of this process. Resolves to the page's address. */
async function started(): Promise<{ address: string; end(): Promise<number | null> }> {
  const monitor = await openMonitor("tcp://127.0.0.1:*", { interval: 100 });
  onTestFinished(() => monitor.close());
  const child = spawn(process.execPath, [COMMAND, "top", monitor.endpoint, "--web"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line] = await within(once(child.stdout, "data"), "the address");
  const end = async () => {
    child.kill("SIGTERM");
    const [code] = await once(child, "exit");
    return code;
  };
  return { address: String(line).trim(), end };
}

/** The status of an answer. */
async function status(address: string, options: object = {}): Promise<number | undefined> {
  const asked = request(address, options).end();
  const [answer] = await within(once(asked, "response"), "an answer");
  answer.destroy();
  return answer.statusCode;
}

describe("the server of zwire top --web", () => {
  it("answers to its token and its own names only", async () => {
    const { address, end } = await started();
    const { port, pathname, origin } = new URL(address);
    expect(pathname).toMatch(/^\/[\w-]{24}\/$/);
    expect(await status(address)).toBe(200);
    expect(await status(address, { headers: { host: `localhost:${port}` } })).toBe(200);
    for (const host of [
      "evil.example",
      `evil.example:${port}`,
      "127.0.0.1",
      `127.0.0.1:${port}.evil.example`,
    ]) {
      expect([host, await status(address, { headers: { host } })]).toEqual([host, 421]);
    }
    expect(await status(origin)).toBe(404);
    expect(await status(`${origin}/${"x".repeat(24)}/`)).toBe(404);
    for (const name of ["nothing", "__proto__", "constructor", "..%2f", "top.js/x"]) {
      expect([name, await status(address + name)]).toEqual([name, 404]);
    }
    expect(await status(address, { method: "POST" })).toBe(405);
    const { headers } = await fetch(address);
    expect(headers.get("content-security-policy")).toMatch(/^default-src 'none'; script-src 'self';/);
    expect(headers.get("access-control-allow-origin")).toBeNull();
    expect(await end()).toBe(0);
  });
});

describe.skipIf(CHROMIUM === undefined)(
  `the page of zwire top --web${CHROMIUM ? "" : ` (${NO_CHROMIUM})`}`,
  () => {
    it.each([
      ["a desk", 1280, 860],
      ["a phone", 390, 844],
    ])("shows live charts and a table that can be sorted, on %s", async (name, width, height) => {
      const [push, pull] = [managed(new Push()), managed(new Pull())];
      pull.on("message", () => {});
      push.connect(await pull.bind("tcp://127.0.0.1:*"));
      let sent = 0;
      const timer = setInterval(() => {
        for (let left = 20 + 15 * Math.sin(sent++ / 20); left > 0; left--) void push.send(`tick ${left}`);
      }, 5);
      onTestFinished(() => clearInterval(timer));
      const { address, end } = await started();
      const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
      onTestFinished(() => browser.close());
      const page = await browser.newPage({ viewport: { width, height } });
      const errors: string[] = [];
      page.on("pageerror", (error) => errors.push(String(error)));
      page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
      await page.goto(address);
      const row = page.locator(".table tr.socket", { hasText: "PUSH" });
      await row.waitFor();
      await until(
        async () => Number.parseFloat((await row.locator("td").nth(4).textContent()) ?? "") > 0,
        "a rate",
      );
      expect(await page.locator(".uplot canvas").count()).toBe(3);
      // The legends are tables, too.
      expect(await page.locator(".uplot tr.socket, .uplot button").count()).toBe(0);
      expect(await page.locator(".uplot .u-legend .u-series").count()).toBe(9);
      expect(await page.locator("#heading").textContent()).toContain(`pid ${process.pid}`);
      expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
      const pictures = process.env.ZWIRE_PICTURES;
      if (pictures !== undefined) {
        await page.waitForTimeout(2500); // by the clock: for a curve to look at
        await page.screenshot({ path: join(pictures, `top-${name.slice(2)}.png`), fullPage: true });
      }
      await page.getByRole("button", { name: "Type" }).click();
      const types = () => page.locator(".table tr.socket td:nth-child(2)").allTextContents();
      expect(await types()).toEqual([...(await types())].sort());
      await page.getByRole("button", { name: "Type" }).click();
      expect(await types()).toEqual([...(await types())].sort().reverse());
      expect(errors).toEqual([]);
      expect(await end()).toBe(0);
      await page.locator("#note", { hasText: "has ended" }).waitFor();
    });
  },
);
