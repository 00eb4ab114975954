/** What is where on the site: pages by subject, and the API by entry of the package. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const site = fileURLToPath(new URL(".", import.meta.url));
export const pages = join(site, "pages");
export const root = fileURLToPath(new URL("..", import.meta.url));

/** Groups of the sidebar: title, and pages as [title, path below pages/ without ".md"]. */
export const GROUPS = [
  [
    "Begin",
    [
      ["What zwire is", "index"],
      ["Guide in ten steps", "guide"],
      ["Patterns", "patterns"],
      ["When not to use it", "when-not"],
      ["Moving from zeromq.js", "zeromq-js"],
    ],
  ],
  [
    "Recipes",
    [
      ["All recipes", "recipes/index"],
      ["Slow joiner", "recipes/slow-joiner"],
      ["Last value cache", "recipes/last-value-cache"],
      ["Retry", "recipes/retry"],
      ["Work queue", "recipes/work-queue"],
      ["Graceful shutdown", "recipes/shutdown"],
      ["Cluster", "recipes/cluster"],
      ["PM2", "recipes/pm2"],
      ["Docker", "recipes/docker"],
      ["Kubernetes", "recipes/kubernetes"],
      ["NestJS", "recipes/nestjs"],
    ],
  ],
  [
    "Reference",
    [
      ["Sockets", "sockets"],
      ["Options", "options"],
      ["Events", "events"],
      ["Peers", "peers"],
      ["Errors", "errors"],
      ["Delivery", "delivery"],
      ["Streams", "streams"],
      ["Values", "values"],
      ["Shared memory and loans", "shared-memory"],
      ["Security", "security"],
      ["TLS", "tls"],
      ["WebSockets", "websocket"],
      ["Pages", "browser"],
      ["RPC", "rpc"],
      ["Conformance", "conformance"],
    ],
  ],
  [
    "Running it",
    [
      ["The command line", "command-line"],
      ["Deployment", "deployment"],
      ["Bundling", "bundling"],
      ["Packages that depend on zeromq", "dependents"],
      ["Seeing in", "observability"],
      ["Performance", "performance"],
      ["Troubleshooting", "troubleshooting"],
    ],
  ],
  [
    "The project",
    [
      ["Architecture", "architecture"],
      ["Contributing", "project/contributing"],
      ["Releasing", "releasing"],
      ["Code of conduct", "project/code-of-conduct"],
      ["Reporting a vulnerability", "project/security"],
      ["Changelog", "project/changelog"],
    ],
  ],
];

/** Entries of the package, as their sources in src/ are named, with the names that programs import. */
export const ENTRIES = {
  index: "zwire",
  draft: "zwire/draft",
  rpc: "zwire/rpc",
  opentelemetry: "zwire/opentelemetry",
  zeromq: "zwire/zeromq",
  "zeromq-draft": "zwire/zeromq/draft",
};

const KINDS = {
  classes: "Classes",
  functions: "Functions",
  interfaces: "Interfaces",
  "type-aliases": "Types",
  variables: "Variables",
  enumerations: "Enumerations",
};

/** The API's groups: one for each entry and kind. */
export function apiSidebar() {
  return Object.entries(ENTRIES).map(([entry, name]) => ({
    text: name,
    link: `/api/${entry}/`,
    collapsed: entry !== "index",
    items: Object.entries(KINDS)
      .filter(([kind]) => existsSync(join(pages, "api", entry, kind)))
      .map(([kind, text]) => ({
        text,
        collapsed: kind !== "classes",
        items: readdirSync(join(pages, "api", entry, kind))
          .map((file) => file.replace(/\.md$/, ""))
          .sort()
          .map((title) => ({ text: title, link: `/api/${entry}/${kind}/${title}` })),
      })),
  }));
}
