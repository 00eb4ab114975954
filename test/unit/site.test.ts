/** The check of the built site's links finds what is broken; `npm run site` runs it over the whole site. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { checkLinks, githubAnchor } from "../../site/check-links.mjs";

const folder = mkdtempSync(join(tmpdir(), "zwire-site-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("a link to a page, file or anchor that is missing is named, with its page", () => {
  mkdirSync(join(folder, "api"));
  writeFileSync(
    join(folder, "index.html"),
    '<h1 id="top"></h1> <a href="/api/">a</a> <a href="api/#push">b</a> <a href="#top">c</a>',
  );
  writeFileSync(
    join(folder, "api", "index.html"),
    '<h2 id="push"></h2> <a href="../index.html#bottom">d</a> <a href="/gone.html">e</a> <img src="x.svg"> <a href="https://example.org/">f</a>',
  );
  const { files, links, broken } = checkLinks(folder);
  expect([files, links]).toEqual([2, 6]);
  expect(broken.sort()).toEqual([
    "api/index.html: ../index.html#bottom",
    "api/index.html: /gone.html",
    "api/index.html: x.svg",
  ]);
});

it.each([
  ["Step 8: brokers", "step-8-brokers"],
  ["`ZWIRE_ENGINE=native`", "zwire_enginenative"],
  ["PUSH / PULL", "push--pull"],
])("the heading %s has GitHub's anchor", (heading, anchor) => expect(githubAnchor(heading)).toBe(anchor));
