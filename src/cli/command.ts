/**
 * What a command of `zwire` is, and what all commands share.
 */

/** Where a command writes: the streams of the process, or those of a test. */
export interface Output {
  out(text: string): void;
  error(text: string): void;
  /** Resolves when the reader of `out` has kept up. Await it between the parts of a long output. */
  drained(): Promise<void>;
}

/** A command. */
export interface Command {
  /** What `--help` shows. */
  readonly usage: string;
  /**
   * Runs the command with the arguments behind its name. Resolves to the exit code.
   * @throws UsageError for arguments that it does not understand. For any other error the message is printed.
   */
  run(args: string[], output: Output): Promise<number>;
}

/** A command as the list shows it, before it is loaded. */
export interface CommandEntry {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** Imports the command, so that no command pays for another. */
  load(): Promise<Command>;
}

/** The command line is wrong: exit code 2, and the usage is printed. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Whether an error is about the command line: ours, or one of `parseArgs`. */
export function isUsageError(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return error instanceof UsageError || (code?.startsWith("ERR_PARSE_ARGS") ?? false);
}

/** Rows of two columns, indented. */
export function columns(rows: readonly (readonly [left: string, right: string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}\n`).join("");
}
