/** The README's programs that stand by themselves run as printed. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = new URL("../../", import.meta.url);
const BUILT = pathToFileURL(fileURLToPath(new URL("dist/index.js", ROOT))).href;
const readme = readFileSync(new URL("README.md", ROOT), "utf8");

/** The first program behind a heading. */
function program(heading: string): string {
  const [, source] = /```js\n(.*?)```/s.exec(readme.slice(readme.indexOf(heading))) as RegExpExecArray;
  return source.replace('"zwire"', JSON.stringify(BUILT));
}

describe("README", () => {
  it.each([
    ["# zwire", "[ 'hello', 'world' ]\n"],
    ["## Security", "nobody else can read this from ann\n"],
  ])("the program under %s prints what it promises", (heading, printed) => {
    const args = ["--input-type=module", "-e", program(heading)];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      encoding: "utf8",
      timeout: 15_000,
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: printed, stderr: "" });
  });
});
