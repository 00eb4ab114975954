/**
 * The streams of this process, as commands write to them.
 */
import type { Output } from "./command.js";

/**
 * When the reader of a pipe is gone, as in `… | head`, the process ends with code 0, because that is no failure. A command
 * that has something to finish then asks to be told instead.
 */
export function processOutput(): Output {
  const { stdout, stderr } = process;
  let gone = (): void => process.exit(0);
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") return gone();
    stderr.write(`cannot write the output: ${error.message}\n`);
    process.exit(1);
  });
  stderr.on("error", () => {}); // nobody can be told
  return {
    out: (data) => void stdout.write(data),
    error: (text) => void stderr.write(text),
    drained: () =>
      stdout.writableNeedDrain
        ? new Promise((resolve) => {
            stdout.once("drain", resolve);
            stdout.once("close", resolve);
          })
        : Promise.resolve(),
    onGone: (listener) => {
      gone = listener;
    },
  };
}
