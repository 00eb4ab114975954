/**
 * Pages in a real browser: one Chromium for each test file, one small HTTP server that has the built zwire/web and blank
 * pages, and sockets bound on it. A test fails if its page has an error that nobody caught, or writes one to the console.
 */
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished } from "vitest";
import { CHROMIUM, NO_CHROMIUM } from "./chromium.js";

const DIST = resolve(fileURLToPath(import.meta.url), "../../../../dist");

/** What pages have as globals: zwire/web and zwire/web/rpc. */
export type Web = typeof import("../../../dist/web-types/web.js");
export type WebRpc = typeof import("../../../dist/web-types/web-rpc.js");

declare global {
  /** Only in functions that a page runs. */
  const zwire: Web;
  const zwireRpc: WebRpc;
}

const BLANK = `<!doctype html><title>zwire</title><link rel="icon" href="data:,">
<script type="module">
import * as zwire from "/web.js";
import * as zwireRpc from "/web-rpc.js";
Object.assign(globalThis, { zwire, zwireRpc });
</script>`;

/** A server of pages, on any port or on the given one. */
export class Pages {
  readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
  }

  static async start(port = 0): Promise<Pages> {
    const server = createServer(async ({ url = "/" }, response) => {
      const [path] = url.split("?");
      if (!path.endsWith(".js")) {
        response.setHeader("content-type", "text/html").end(BLANK);
        return;
      }
      const text = await readFile(join(DIST, path)).catch(() => undefined);
      if (text === undefined) response.statusCode = 404;
      response.setHeader("content-type", "text/javascript").end(text);
    });
    await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
    return new Pages(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** The endpoint of a path. */
  ws(path: string): string {
    return `ws://127.0.0.1:${this.port}${path}`;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}

/** Chromium itself says on the console that a WebSocket could not be made, and nothing can prevent it. */
const ABOUT_CONNECTION = /^WebSocket connection to '[^']*' failed/;

interface OpenOptions {
  /** Connections fail in this test, and Chromium says so on the console. */
  readonly failures?: boolean;
  /** Where it opens. Default: the blank page of the server. */
  readonly url?: string;
}

/** What the tests of one file share. */
export interface BrowserTests {
  /** A page with zwire/web loaded, in a profile of its own. It closes when the test ends. */
  open(options?: OpenOptions): Promise<Page>;
  readonly pages: Pages;
  /** Stops the processes of all pages, as when a machine sleeps. @returns what wakes them */
  sleep(): Promise<() => void>;
  /** A page for all tests of the file, which leave it as it was. */
  readonly shared: Page;
}

/** A suite in a browser; without one it is skipped, and says so. */
export function inBrowser(title: string, define: (tests: BrowserTests) => void): void {
  const said = CHROMIUM === undefined ? `${title} (${NO_CHROMIUM})` : title;
  describe.skipIf(CHROMIUM === undefined)(said, () => {
    let browser: Browser;
    let pages: Pages;
    let shared: Page;
    const contexts: BrowserContext[] = [];
    const troubles: string[] = [];

    beforeAll(async () => {
      pages = await Pages.start();
      browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
      shared = await load(await browser.newContext(), {});
    });
    afterAll(async () => {
      await browser?.close();
      await pages?.stop();
    });
    afterEach(async () => {
      for (const context of contexts.splice(0)) await context.close();
      expect(troubles.splice(0)).toEqual([]);
    });

    async function load(
      context: BrowserContext,
      { failures = false, url = pages.url }: OpenOptions,
    ): Promise<Page> {
      const page = await context.newPage();
      page.on("pageerror", (error) => troubles.push(`not caught: ${error.stack}`));
      page.on("console", (message) => {
        const said = message.text();
        if (["error", "warning"].includes(message.type()) && !(failures && ABOUT_CONNECTION.test(said)))
          troubles.push(`console: ${said}`);
      });
      await page.goto(url);
      return page;
    }

    async function open(options: OpenOptions = {}): Promise<Page> {
      const context = await browser.newContext();
      contexts.push(context);
      return load(context, options);
    }

    async function sleep(): Promise<() => void> {
      const devtools = await browser.newBrowserCDPSession();
      const { processInfo } = await devtools.send("SystemInfo.getProcessInfo");
      const renderers = processInfo.filter(({ type }) => type === "renderer");
      const signal = (name: NodeJS.Signals) => {
        for (const { id } of renderers) {
          try {
            process.kill(id, name);
          } catch (error) {
            // Chromium ends those that it no longer needs.
            if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
          }
        }
      };
      signal("SIGSTOP");
      const wake = () => signal("SIGCONT");
      onTestFinished(wake);
      return wake;
    }

    define({
      open,
      sleep,
      get pages() {
        return pages;
      },
      get shared() {
        return shared;
      },
    });
  });
}
