/** Checks the links of a built site: each page, file and anchor that a page names exists in the folder. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** Attributes of a kind, decoded as far as addresses need it. */
function attributes(html, names) {
  const found = [];
  for (const [, value] of html.matchAll(new RegExp(`\\s(?:${names})="([^"]*)"`, "g")))
    found.push(value.replaceAll("&amp;", "&"));
  return found;
}

/** The anchor that GitHub gives a heading, so that one link works there and on the site. VitePress makes repeated ones unique. */
export function githubAnchor(heading) {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, "")
    .trim()
    .replaceAll(" ", "-");
}

/**
 * @param folder what is served at "/"
 * @returns how many pages and links there are, and for each broken one a line "page: address"
 */
export function checkLinks(folder) {
  const all = readdirSync(folder, { recursive: true }).filter((path) => path.endsWith(".html"));
  const texts = new Map(all.map((path) => [join(folder, path), readFileSync(join(folder, path), "utf8")]));
  const anchors = new Map([...texts].map(([file, html]) => [file, new Set(attributes(html, "id|name"))]));
  const broken = [];
  let links = 0;
  for (const [file, html] of texts) {
    if (file.endsWith("404.html")) continue;
    for (const address of attributes(html, "href|src")) {
      if (/^(mailto:|data:)/.test(address)) continue;
      if (/^(https?:)?\/\//.test(address)) continue; // another site, which cannot be asked here
      links++;
      const [path, anchor] = address.split("#");
      let target = file;
      if (path !== "") target = path.startsWith("/") ? join(folder, path) : resolve(dirname(file), path);
      target = decodeURI(target.split("?")[0]);
      if (target.endsWith("/") || path.endsWith("/")) target = join(target, "index.html");
      const known = anchors.get(target);
      if (known === undefined ? !existsSync(target) : anchor && !known.has(decodeURIComponent(anchor)))
        broken.push(`${file.slice(folder.length + 1)}: ${address}`);
    }
  }
  return { files: all.length, links, broken };
}
