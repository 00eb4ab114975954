/**
 * zeromq.js and zwire/zeromq are asked the same questions at run time (questions.mjs): exports, members, defaults, every
 * option by property, constructor field and number, arguments, states, errors, events. Every difference must be listed
 * in differences.ts, and everything listed there must still be one.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { DIFFERENCES } from "./differences.js";
import { questions } from "./questions.mjs";
import { type Library, runLibrary } from "./support.js";

type Answers = Map<string, unknown>;

/**
 * Cheap, and asked in one process. zeromq.js is asked the rest in a process each: libzmq has one context, and lets go of
 * its sockets late. Of zwire's, only the questions about warnings need one: a process is warned of a thing once.
 */
const TOGETHER =
  /^(members|exports|default|version|capability|chain|.*: (properties|own keys|constructor arguments|setting))/;
const PROCESSES = 3;

async function ask(library: Library, pattern: string, answers: Answers): Promise<void> {
  const { stdout, stderr, code } = await runLibrary("questions-child.mjs", library, pattern);
  if (code !== 0) throw new Error(`${library}, asked ${pattern}, ended with ${code}: ${stderr}`);
  for (const line of stdout.split("\n")) {
    if (!line.startsWith("{")) continue;
    const { title, answer } = JSON.parse(line);
    answers.set(title, answer);
  }
}

async function askAll(library: Library): Promise<Answers> {
  const answers: Answers = new Map();
  const alone = Object.keys(questions).filter((title) => !TOGETHER.test(title));
  const exactly = alone.map((title) => `^${title.replace(/[.()]/g, "\\$&")}$`);
  const together = library === "zwire" ? exactly.filter((pattern) => !/warn/.test(pattern)) : [];
  const patterns = [TOGETHER.source, ...exactly.filter((pattern) => !together.includes(pattern))];
  if (together.length > 0) patterns.push(together.join("|"));
  const asking = Array.from({ length: PROCESSES }, async () => {
    for (let pattern = patterns.shift(); pattern !== undefined; pattern = patterns.shift()) {
      await ask(library, pattern, answers);
    }
  });
  await Promise.all(asking);
  return answers;
}

/** Every leaf by its path. A list whose items begin each with a text of its own has that text for an index. */
function leaves(value: unknown, path: string, found: Map<string, string>): void {
  if (typeof value !== "object" || value === null) {
    found.set(path, JSON.stringify(value));
    return;
  }
  const names = Array.isArray(value) ? value.map((item) => (Array.isArray(item) ? item[0] : undefined)) : [];
  const named = new Set(names).size === names.length && names.every((name) => typeof name === "string");
  for (const [key, item] of Object.entries(value)) {
    leaves(item, `${path} > ${named ? (names[Number(key)] ?? key) : key}`, found);
  }
}

const [upstream, zwire]: Answers[] = [new Map(), new Map()];

beforeAll(async () => {
  for (const [title, answer] of await askAll("zeromq")) upstream.set(title, answer);
  for (const [title, answer] of await askAll("zwire")) zwire.set(title, answer);
}, 300_000);

function differences(title: string): string[] {
  const [theirs, ours] = [new Map<string, string>(), new Map<string, string>()];
  leaves(upstream.get(title), title, theirs);
  leaves(zwire.get(title), title, ours);
  return [...new Set([...theirs.keys(), ...ours.keys()])].filter(
    (path) => theirs.get(path) !== ours.get(path),
  );
}

function described(title: string, path: string): string {
  const [theirs, ours] = [new Map<string, string>(), new Map<string, string>()];
  leaves(upstream.get(title), title, theirs);
  leaves(zwire.get(title), title, ours);
  return `${path}: zeromq ${theirs.get(path)}, zwire ${ours.get(path)}`;
}

describe("zwire/zeromq answers as zeromq.js", () => {
  it.each(Object.keys(questions))("%s", (title) => {
    expect(upstream.has(title) && zwire.has(title)).toBe(true);
    const unlisted = differences(title).filter((path) => !DIFFERENCES.some((one) => one.path.test(path)));
    expect(unlisted.map((path) => described(title, path))).toEqual([]);
  });

  it.each(DIFFERENCES)("still differs: $why ($path)", ({ path }) => {
    expect(
      Object.keys(questions)
        .flatMap(differences)
        .some((one) => path.test(one)),
    ).toBe(true);
  });
});
