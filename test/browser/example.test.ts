/** examples/web: the page shows prices that move, buys, and comes back when the service was away. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { inBrowser } from "../support/browser/page.js";
import { python } from "../support/python-rpc.js";

const MAIN = resolve(fileURLToPath(import.meta.url), "../../../examples/web/main.mjs");

async function start(port = "0"): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [MAIN, "--port", port], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  const [line] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
  return { child, url: /http:\S+/.exec(line)![0] };
}

inBrowser("the example", (tests) => {
  it.skipIf(python.command === null)("a live page", async () => {
    const first = await start();
    const page = await tests.open({ url: first.url, failures: true });
    await page.setViewportSize({ width: 390, height: 844 });
    await page.waitForSelector("#state.up");
    await expect.poll(() => page.locator("#prices tr").count()).toBe(4);
    const prices = () => page.locator("#prices td:nth-child(2)").allTextContents();
    const bought = () => page.locator("#orders li").first().textContent();
    const before = await prices();
    await expect.poll(prices, { timeout: 20_000 }).not.toEqual(before);
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    await page.click("button");
    await expect.poll(bought, { timeout: 10_000 }).toMatch(/^bought 10 TEA at/);
    await page.fill("#quantity", "1");
    await page.click("#prices tr:nth-child(3)");
    await page.click("button");
    await expect.poll(bought, { timeout: 10_000 }).toMatch(/^bought 1 SILK at/);

    first.child.kill("SIGTERM");
    expect(await once(first.child, "exit")).toEqual([0, null]);
    await page.waitForSelector("#state:not(.up)");
    await start(new URL(first.url).port);
    await page.waitForSelector("#state.up");
    const away = await prices();
    await expect.poll(prices, { timeout: 20_000 }).not.toEqual(away);
  });
});
