/**
 * The streams of this process, as commands write to them.
 */
import type { Output } from "./command.js";

/** Ends the process with code 0 when the reader of a pipe is gone, as in `… | head`: that is no failure. */
export function processOutput(): Output {
  const { stdout, stderr } = process;
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    stderr.write(`cannot write the output: ${error.message}\n`);
    process.exit(1);
  });
  return {
    out: (data) => void stdout.write(data),
    error: (text) => void stderr.write(text),
    drained: () =>
      stdout.writableNeedDrain ? new Promise((resolve) => stdout.once("drain", resolve)) : Promise.resolve(),
  };
}
