/** Completion scripts, in real shells: each command, each option and what its value may be, from the tables. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Command } from "../../src/cli/command.js";
import { COMMANDS } from "../../src/cli/commands.js";
import { main } from "../../src/cli/main.js";
import { withCommon } from "../../src/cli/options.js";

const home = mkdtempSync(join(tmpdir(), "zwire-completion-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const has = (shell: string) => spawnSync(shell, ["--version"]).status === 0;
for (const shell of ["bash", "zsh", "fish"])
  if (!has(shell)) console.log(`completion in ${shell} is not tested: there is no ${shell}`);

async function script(shell: string): Promise<string> {
  let out = "";
  const output = {
    out: (text: string | Uint8Array) => void (out += text),
    error: () => {},
    drained: async () => {},
  };
  expect(await main(["completion", shell], output)).toBe(0);
  const file = join(home, shell);
  writeFileSync(file, out);
  return file;
}

const NAMES = COMMANDS.map(({ name }) => name);
const commands = new Map<string, Command>();
const folder = join(home, "folder");

beforeAll(async () => {
  for (const { name, load } of COMMANDS) commands.set(name, await load());
  mkdirSync(join(folder, "inner"), { recursive: true });
  writeFileSync(join(folder, "two words"), "");
});

/** What each of these lines may go on with; the last word of a line is the one that is completed. */
type Completed = (lines: readonly string[][]) => string[][];

/** The same of all shells that can be asked. */
function completes(complete: Completed): void {
  const [names, pushes, words, formats, joined] = complete([
    [""],
    ["pu"],
    ["push", "--form"],
    ["push", "--format", ""],
    ["completion", ""],
  ]);
  expect(names).toEqual(expect.arrayContaining(NAMES));
  expect(pushes.sort()).toEqual(["pub", "pull", "push"]);
  expect(words).toEqual(["--format"]);
  expect(formats.sort()).toEqual(["frames", "hex", "json", "msgpack", "raw", "text"]);
  expect(joined.sort()).toEqual(["bash", "fish", "zsh"]);
  const rows = NAMES.map((name) =>
    Object.keys(withCommon(commands.get(name)!.options)).map((one) => `--${one}`),
  );
  const options = complete(NAMES.map((name) => [name, "--"]));
  NAMES.forEach((name, at) => {
    expect(options[at].filter((one) => one.startsWith("--")).sort(), name).toEqual(rows[at].sort());
  });
  const [subscriber, pusher] = complete([
    ["sub", "--option", "conf"],
    ["push", "--option", "receiveH"],
  ]);
  expect(subscriber).toContain("conflate=");
  expect(pusher).toEqual([]);
  expect(complete([["push", "--file", "t"]])).toEqual([["two words"]]);
}

describe.runIf(has("bash"))("in bash", () => {
  it("completes commands, options, values and files", async () => {
    const file = await script("bash");
    completes((lines) => {
      const asked = lines
        .map((words) => {
          const quoted = ["zwire", ...words].map((word) => `'${word}'`).join(" ");
          return `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _zwire; printf '%s\\n' "\${COMPREPLY[@]}"; echo --end--`;
        })
        .join("\n");
      const out = execFileSync("bash", ["--norc", "-c", `source '${file}'\n${asked}`], {
        encoding: "utf8",
        cwd: folder,
      });
      return out
        .split("--end--\n")
        .slice(0, -1)
        .map((one) => one.split("\n").filter((word) => word !== ""));
    });
  });

  it("completes the value behind =, which bash makes a word of its own", async () => {
    const file = await script("bash");
    const ask = (words: string) =>
      execFileSync(
        "bash",
        [
          "-c",
          `source '${file}'; COMP_WORDS=(zwire ${words}); COMP_CWORD=$((\${#COMP_WORDS[@]}-1)); _zwire; echo "\${COMPREPLY[@]}"`,
        ],
        { encoding: "utf8" },
      ).trim();
    expect(ask("push --format = j")).toBe("json");
    expect(ask("push --format =")).toBe("text json hex raw frames msgpack");
    expect(ask("help pus")).toBe("push");
    expect(ask("nothing --f")).toBe("");
  });
});

describe.runIf(has("fish"))("in fish", () => {
  it("completes commands, options, values and files", async () => {
    const file = await script("fish");
    completes((lines) => {
      const asked = lines.map((words) => `complete -C 'zwire ${words.join(" ")}'; echo --end--`).join("\n");
      const out = execFileSync("fish", ["--no-config", "-c", `source '${file}'\n${asked}`], {
        encoding: "utf8",
        cwd: folder,
        env: { ...process.env, HOME: home },
      });
      return out
        .split("--end--\n")
        .slice(0, -1)
        .map((one) =>
          one
            .split("\n")
            .map((line) => line.split("\t")[0].replaceAll("\\ ", " "))
            .filter((word) => word !== ""),
        );
    });
  });
});

describe.runIf(has("zsh"))("in zsh", () => {
  it("completes on a terminal", async () => {
    const file = await script("zsh");
    const session = `
zmodload zsh/zpty
zpty shell 'zsh -f -i'
zpty -w shell "PROMPT='> '; setopt nobeep; zle_highlight=(none); autoload -Uz compinit; compinit -u -d '${home}/zcompdump'; source '${file}'; cd '${folder}'; print rea''dy"
zpty -r -m shell out '*ready*'
ask() {
  zpty -w -n shell "$1"$'\\t'
  zpty -r -m shell out "*$2*" && print -r -- "found $2"
  zpty -w -n shell $'\\x15'
}
ask 'zwire compl' 'zwire completion '
ask 'zwire push --wait' '--wait-peers='
ask 'zwire push --format js' '--format json'
ask 'zwire push -o conf' 'conflate='
ask 'zwire push --file tw' 'two\\\\ words'
`;
    const { stdout, stderr } = spawnSync("zsh", ["-f", "-c", session], { encoding: "utf8", timeout: 30_000 });
    expect(stderr).toBe("");
    expect(stdout.trim().split("\n")).toHaveLength(5);
  });
});
