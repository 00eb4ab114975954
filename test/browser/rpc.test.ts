/** zwire/web/rpc: a page calls a service of Node, and through it Python. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { type Server, serve, spawnPython } from "../../src/rpc.js";
import { inBrowser, type Pages } from "../support/browser/page.js";
import { temporaryDirectory } from "../support/helpers.js";
import { python } from "../support/python-rpc.js";

async function offer(pages: Pages, path: string, service: Parameters<typeof serve>[1]): Promise<Server> {
  const server = await serve({ server: pages.server, path }, service);
  onTestFinished(() => server.close());
  return server;
}

inBrowser("calls from a page", (tests) => {
  it("values, streams and errors come back as between two programs", async () => {
    await offer(tests.pages, "/calls", {
      add: (a: number, b: number) => a + b,
      echo: (value: unknown) => value,
      *count(n: number) {
        for (let i = 0; i < n; i++) yield i;
      },
      fail() {
        throw new RangeError("no");
      },
    });
    const page = await tests.open();
    const got = await page.evaluate(async (endpoint) => {
      const { connect } = zwireRpc;
      const api = connect<{
        add(a: number, b: number): number;
        echo<T>(value: T): T;
        count(n: number): AsyncIterable<number>;
        fail(): void;
      }>(endpoint);
      const sum = await api.add(1, 2);
      const value = { list: [1, -5, 3.25, 2 ** 40, "zwölf", null, true, "x".repeat(300)], deep: { a: {} } };
      const same = JSON.stringify(await api.echo(value)) === JSON.stringify(value);
      const bytes = Array.from((await api.echo(new Uint8Array([1, 2, 255]))) as unknown as Uint8Array);
      let counted = 0;
      for await (const i of api.count(1000)) counted += i;
      const failed = await Promise.resolve(api.fail()).catch(
        (error: Error) => `${error.name}: ${error.message}`,
      );
      const late = connect<{ never(): void }>(endpoint, { timeout: 50 });
      const unknown = await Promise.resolve(late.never()).catch((error: Error) => error.message);
      await api.$close();
      await late.$close();
      return { sum, same, bytes, counted, failed, unknown };
    }, tests.pages.ws("/calls"));
    expect(got).toMatchObject({
      sum: 3,
      same: true,
      bytes: [1, 2, 255],
      counted: 499500,
      failed: "RangeError: no",
    });
    expect(got.unknown).toContain("never");
  });

  it("a call that waits survives a restart of the service", async () => {
    let tell = (): void => {};
    const asked = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const first = await offer(tests.pages, "/restart", {
      ask() {
        tell();
        return new Promise(() => {});
      },
    });
    const page = await tests.open({ failures: true });
    const answer = page.evaluate(async (endpoint) => {
      const { connect } = zwireRpc;
      const api = connect<{ ask(): string }>(endpoint, { idempotent: ["ask"] });
      const answer = await api.ask();
      await api.$close();
      return answer;
    }, tests.pages.ws("/restart"));
    await asked;
    await first.close({ grace: 0 });
    await offer(tests.pages, "/restart", { ask: () => "answered" });
    expect(await answer).toBe("answered");
  });

  it.skipIf(python.command === null)("through Node, Python", async () => {
    const folder = temporaryDirectory();
    writeFileSync(
      join(folder, "worker.py"),
      "import zwire_rpc\nserver = zwire_rpc.Server()\n@server.expose\ndef title(text):\n    return text.title()\nserver.run()\n",
    );
    const worker = await spawnPython(join(folder, "worker.py"), { python: python.command as string });
    onTestFinished(() => worker.close());
    const { api } = worker as unknown as { api: { title(text: string): Promise<string> } };
    await offer(tests.pages, "/python", { title: (text: string) => api.title(text) });
    const page = await tests.open();
    const got = await page.evaluate(async (endpoint) => {
      const { connect } = zwireRpc;
      const remote = connect<{ title(text: string): string }>(endpoint);
      const title = await remote.title("from a page");
      await remote.$close();
      return title;
    }, tests.pages.ws("/python"));
    expect(got).toBe("From A Page");
  });
});
