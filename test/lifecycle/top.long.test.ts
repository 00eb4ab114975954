/** `zwire top` on a terminal, by tmux: its table, its keys, another size, the end of the process, and how it leaves. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { temporaryDirectory, until, within } from "../support/helpers.js";

const hasTmux = spawnSync("tmux", ["-V"]).status === 0;
const ROOT = resolve(import.meta.dirname, "../..");
const APP = `
import { openMonitor, Pull, Push } from "zwire";
const monitor = await openMonitor(process.argv[1], { interval: 100 });
const [push, pull] = [new Push(), new Pull()];
pull.on("message", () => {});
push.connect(await pull.bind("tcp://127.0.0.1:*"));
setInterval(() => push.send("tick"), 10);
console.log("ready");`;

describe.skipIf(!hasTmux)("zwire top on a terminal (skipped without tmux)", () => {
  it("shows a live table, obeys its keys, follows the size, and gives the terminal back", async () => {
    const folder = temporaryDirectory();
    const endpoint = `ipc://${join(folder, "m")}`;
    const app = spawn(process.execPath, ["--input-type=module", "-e", APP, endpoint], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void app.kill("SIGKILL"));
    await within(once(app.stdout, "data"), "the program");

    const server = join(folder, "tmux");
    const tmux = (...args: string[]) => execFileSync("tmux", ["-S", server, ...args], { encoding: "utf8" });
    onTestFinished(() => void spawnSync("tmux", ["-S", server, "kill-server"]));
    const shell = `echo before; '${process.execPath}' dist/cli/zwire.js top '${endpoint}'; echo code $?; cat`;
    tmux("-f", "/dev/null", "new-session", "-d", "-s", "t", "-x", "110", "-y", "12", "-c", ROOT, shell);
    const screen = () => tmux("capture-pane", "-p", "-t", "t");
    const shows = (pattern: RegExp, what: string) =>
      until(() => pattern.test(screen()), what).catch((error) => {
        throw new Error(`${error.message}; the screen was\n${screen()}`);
      });
    const press = (key: string) => tmux("send-keys", "-t", "t", key);

    await shows(/PULL +1 +0 +[1-9]\d* /, "a row with its rate");
    expect(screen()).toMatch(/^ +ID\* TYPE +PEERS .*B IN\/s.*ENDPOINT$/m);
    expect(screen()).not.toContain("before");
    press("p");
    await shows(/^ +\d+ {2}PUSH /m, "rows of peers");
    press("s");
    await shows(/sorted by type/, "another order");
    press("r");
    await shows(/sorted by type, reversed[\s\S]*TYPE\^/, "the other way round");
    press("Space");
    await shows(/PAUSED/, "a pause");
    press("Space");
    tmux("resize-window", "-t", "t", "-x", "60", "-y", "6");
    await shows(/^q quit .*pause$/m, "the help in the last line");
    expect(screen()).not.toContain("B IN/s");
    await shows(/2 more rows below/, "what does not fit");
    app.kill("SIGKILL");
    await shows(/Nothing came from ipc:/, "that nothing comes");
    press("q");
    await shows(/before\ncode 0/, "what was there before, and the exit code");
  });
});
