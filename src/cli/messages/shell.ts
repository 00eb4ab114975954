/**
 * Runs a command of the user's in the shell, with bytes for its input, and collects what it prints.
 */
import { type ChildProcess, spawn } from "node:child_process";

/** What a command may print. */
const MAX_PRINTED = 2 ** 26;

/** Ends the shell and all that it has started: a pipe that one of them keeps open would keep this process, too. */
function killAll(child: ChildProcess, signal: NodeJS.Signals): void {
  const { pid } = child;
  if (pid === undefined) return;
  if (process.platform === "win32") {
    const options = { stdio: "ignore", windowsHide: true } as const;
    spawn("taskkill", ["/pid", String(pid), "/T", "/F"], options).on("error", () => child.kill());
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // they have just ended
  }
}

/**
 * Gives a command some bytes, and takes what it prints. Rejects if it cannot be started, or prints too much; with the signal's
 * reason if that aborts. Then nothing of it goes on.
 */
export function runInShell(
  command: string,
  input: string | Buffer,
  signal: AbortSignal,
): Promise<[printed: Buffer, code: string]> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const child = spawn(command, {
      shell: true,
      stdio: ["pipe", "pipe", "inherit"],
      detached: process.platform !== "win32", // a process group, which can be killed as one
      windowsHide: true,
    });
    let pieces: Buffer[] = [];
    let bytes = 0;
    const atExit = () => killAll(child, "SIGTERM");
    const abort = () => giveUp(signal.reason, "SIGTERM");
    const done = () => {
      process.off("exit", atExit);
      signal.removeEventListener("abort", abort);
    };
    const giveUp = (why: unknown, by: NodeJS.Signals) => {
      done();
      pieces = [];
      child.stdout.destroy();
      child.stdin.destroy();
      killAll(child, by);
      child.unref(); // it may take its time, without us
      reject(why);
    };
    process.once("exit", atExit);
    signal.addEventListener("abort", abort, { once: true });
    child.stdout.on("data", (piece: Buffer) => {
      bytes += piece.length;
      if (bytes > MAX_PRINTED)
        giveUp(new Error(`the command printed more than ${MAX_PRINTED} bytes`), "SIGKILL");
      else pieces.push(piece);
    });
    child.stdin.on("error", () => {}); // it need not read what it is given
    child.on("error", (error) => {
      done();
      reject(error);
    });
    child.on("close", (code, by) => {
      done();
      resolve([Buffer.concat(pieces), by ?? String(code)]);
    });
    child.stdin.end(input);
  });
}
