/**
 * Makes docs/options.md from the table of options: `node scripts/options-doc.mjs`. Values come from the built table
 * (compiled/options), texts from the doc comments of the rows (src/options/rows).
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = resolve(fileURLToPath(import.meta.url), "../..");
const NAMES = {
  PAIR: "Pair",
  PUB: "Publisher",
  SUB: "Subscriber",
  REQ: "Request",
  REP: "Reply",
  DEALER: "Dealer",
  ROUTER: "Router",
  PULL: "Pull",
  PUSH: "Push",
  XPUB: "XPublisher",
  XSUB: "XSubscriber",
  STREAM: "Stream",
  SERVER: "Server",
  CLIENT: "Client",
  RADIO: "Radio",
  DISH: "Dish",
  GATHER: "Gather",
  SCATTER: "Scatter",
  PEER: "Peer",
  CHANNEL: "Channel",
  DGRAM: "Datagram",
};
const ROW = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(\w+)\?(?:: [^=]+)? = /g;
const CLASS = /export class (\w+) \{([\s\S]*?)^\}/gm;

/** The text of a comment, in one line. */
function plainText(comment) {
  return comment
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, "").trim())
    .join(" ")
    .replace(/\s+/g, " ")
    .trim();
}

/** Doc comments of rows in one source file: class name → option name → text. */
export function commentsIn(source) {
  const classes = {};
  for (const [, name, body] of source.matchAll(CLASS)) {
    classes[name] = Object.fromEntries(
      Array.from(body.matchAll(ROW), ([, comment, row]) => [row, plainText(comment)]),
    );
  }
  return classes;
}

/** Doc comments of all rows. */
export function allComments() {
  const folder = join(ROOT, "src/options/rows");
  const files = readdirSync(folder).map((file) => commentsIn(readFileSync(join(folder, file), "utf8")));
  return Object.assign({}, ...files);
}

function literal(value) {
  if (Array.isArray(value)) return `\`[${value}]\``;
  return `\`${typeof value === "string" ? JSON.stringify(value) : String(value)}\``;
}

function typeNames(types, all) {
  const missing = all.filter((type) => !types.includes(type));
  if (missing.length === 0) return "all";
  const listed = types.map((type) => NAMES[type]).join(", ");
  return missing.length < 6 ? `all except ${missing.map((type) => NAMES[type]).join(", ")}` : listed;
}

function defaultOf({ shown, initial, initialOf = {}, zeromq }, types) {
  const own = Object.entries(initialOf).filter(([type]) => types.includes(type));
  const values = new Map();
  for (const [type, value] of own) values.set(value, [...(values.get(value) ?? []), NAMES[type]]);
  const parts = own.length < types.length ? [shown ?? literal(initial)] : [];
  for (const [value, names] of values) {
    parts.push(names.length === types.length ? literal(value) : `${names.join(", ")}: ${literal(value)}`);
  }
  if (zeromq !== undefined) parts.push(`zwire/zeromq: ${/\s/.test(zeromq) ? zeromq : `\`${zeromq}\``}`);
  return parts.join("; ");
}

/** The comment without its last sentence, the default, which has a column of its own; and safe within a table. */
function meaning(comment) {
  return comment
    .replace(/\s*Default:? .*$/, "")
    .replaceAll("|", "\\|")
    .trim();
}

function row(name, option, { types }, comment, all) {
  const numbers = option.numbers.map(({ number, libzmq }) => `${number} \`${libzmq}\``).join(", ");
  const cells = [
    `\`${name}\``,
    option.type,
    defaultOf(option, types),
    typeNames(types, all),
    option.live ? "at once" : "next",
    numbers,
    meaning(comment),
  ];
  return `| ${cells.join(" | ")} |`;
}

const INTRODUCTION = `# Options

This page is made from the table of options in \`src/options\` by \`node scripts/options-doc.mjs\`. Do not edit it.

An option is a field of the constructor and a property of the socket, under the same name. An unknown name throws a \`TypeError\`, a wrong value a \`TypeError\` or
\`RangeError\` that says what the option takes. An option that the engine or the platform cannot honour is refused with \`ENOTSUP\` by \`bind\` or \`connect\`, never ignored.

- **acts**: *at once* on connections that exist too; *next* on what is bound or connected afterwards.
- **libzmq**: the number, and the name without \`ZMQ_\`. \`getInt32Option(17)\`, \`setStringOption(5, "me")\` and the like reach an option by its number.
- **default**: \`zwire/zeromq\` has the same names. Where it begins with another value, as zeromq.js does, that is said here.
- \`context\`, a field of the constructor only: the \`Context\` whose inproc names and limits the socket has. Default: the process's own.

\`manualLastValue\` sets \`manual\`, and \`noDrop\` is kept as \`onFull\`. The event \`limit\` and the other events are described in [events.md](events.md), the security options in
[security.md](security.md).
`;

const HEAD =
  "| option | type | default | socket types | acts | libzmq | what it means |\n|---|---|---|---|---|---|---|";

/**
 * The page.
 * @param groups of the table
 * @param comments by class of rows and option
 * @param all names of all socket types
 */
export function page(groups, comments, all) {
  const sections = new Map();
  for (const group of groups) {
    const texts = comments[group.rows.constructor.name] ?? {};
    const lines = Object.entries(group.rows).map(([name, option]) => {
      if (texts[name] === undefined) throw new Error(`${name} has no doc comment in src/options/rows`);
      return row(name, option, group, texts[name], all);
    });
    sections.set(group.title, [...(sections.get(group.title) ?? []), ...lines]);
  }
  const tables = Array.from(sections, ([title, lines]) => `## ${title}\n\n${HEAD}\n${lines.join("\n")}\n`);
  return `${INTRODUCTION}\n${tables.join("\n")}`;
}

export const PAGE = join(ROOT, "docs/options.md");

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const built = (file) => import(pathToFileURL(join(ROOT, "compiled/options", file)).href);
  const [{ GROUPS }, { SOCKET_TYPES }] = await Promise.all([built("groups.js"), built("row.js")]);
  writeFileSync(PAGE, page(Object.values(GROUPS), allComments(), SOCKET_TYPES));
}
