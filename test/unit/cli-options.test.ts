/** The table of a command's options: how a command line is read by it, and what help it gives. */
import { describe, expect, it } from "vitest";
import { command } from "../../src/cli/command.js";
import { EXIT, isUsageError } from "../../src/cli/errors.js";
import { integer, oneOf, path, readOptions, text } from "../../src/cli/options.js";

const ROWS = {
  loud: { short: "l", help: "in capitals" },
  count: { kind: integer(-1, 10), short: "n", initial: 1, help: "how often" },
  size: { kind: integer(1), help: "how large" },
  tag: { kind: text(), many: true, help: "a word" },
  form: { kind: oneOf("text", "json"), help: "which form" },
  file: { kind: path(), help: "which file" },
} as const;

const read = (...args: string[]) => readOptions(ROWS, args);

describe("a table of options", () => {
  it("gives each option its value, or what it has when it is not given", () => {
    expect(read()).toEqual({
      values: { loud: false, count: 1, size: undefined, tag: [], form: undefined, file: undefined },
      positionals: [],
      help: false,
    });
    expect(read("a", "-l", "-n", "3", "--tag=x", "--tag", "y", "--form", "json", "--", "--loud")).toEqual({
      values: { loud: true, count: 3, size: undefined, tag: ["x", "y"], form: "json", file: undefined },
      positionals: ["a", "--loud"],
      help: false,
    });
  });

  it("takes a negative number behind an option", () => {
    expect(read("--count", "-1").values.count).toBe(-1);
    expect(read("--", "--count", "-1").positionals).toEqual(["--count", "-1"]);
  });

  it.each([
    [["--count", "11"], '--count must be an integer from -1 to 10; got "11"'],
    [["--count", "1e1"], '--count must be an integer from -1 to 10; got "1e1"'],
    [["--count", ""], '--count must be an integer from -1 to 10; got ""'],
    [["--size", "0"], '--size must be an integer of at least 1; got "0"'],
    [["--size", "9007199254740993"], '--size must be an integer of at least 1; got "9007199254740993"'],
    [["--form", "xml"], '--form must be one of text, json; got "xml"'],
    [["--file", ""], "--file must be a path; it is empty"],
    [["--frobnicate"], "--frobnicate"],
    [["--loud=yes"], "--loud"],
    [["--tag"], "--tag"],
  ])("refuses %j as a wrong command line", (args, message) => {
    let error: unknown;
    try {
      read(...args);
    } catch (thrown) {
      error = thrown;
    }
    expect(isUsageError(error)).toBe(true);
    expect((error as Error).message).toContain(message);
  });

  it("--help and -h win over whatever else is wrong with values", () => {
    expect(read("--help", "--count", "many").help).toBe(true);
    expect(read("-h").help).toBe(true);
  });
});

describe("a command", () => {
  const greet = command({
    synopsis: "zwire greet [options] name",
    about: "Greets somebody.",
    options: ROWS,
    positionals: { shown: "name", least: 1, most: 2 },
    examples: [["zwire greet Ada", "greets her"]],
    async run({ values, positionals }, output) {
      output.out(`${values.loud ? "HELLO" : "hello"} ${positionals.join(" ")}\n`.repeat(values.count));
      return EXIT.ok;
    },
  });

  async function run(...args: string[]) {
    let out = "";
    const code = await greet.run(args, {
      out: (data) => void (out += data),
      error: () => {},
      drained: async () => {},
    });
    return { code, out };
  }

  it("runs with what was given", async () => {
    expect(await run("Ada", "-n", "2")).toEqual({ code: 0, out: "hello Ada\nhello Ada\n" });
  });

  it("counts what follows the options", async () => {
    await expect(run()).rejects.toThrow("Give one name or more; got 0.");
    await expect(run("a", "b", "c")).rejects.toThrow("Give 2 names at most, not 3.");
  });

  it("describes each row, with its default and an example", async () => {
    const { out } = await run("-h");
    expect(out).toContain("zwire greet [options] name\n\nGreets somebody.\n\n");
    expect(out).toMatch(/ {2}-l, --loud +in capitals\n/);
    expect(out).toMatch(/ {2}-n, --count N +how often \(default 1\)\n/);
    expect(out).toMatch(/ {2}--tag TEXT +a word \(may be repeated\)\n/);
    expect(out).toMatch(/ {2}--form text\|json +which form\n/);
    expect(out).toContain("Examples:\n  zwire greet Ada\n      greets her\n");
  });
});
