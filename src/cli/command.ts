/**
 * What a subcommand of `zwire` is, and what all of them share. Knows none of them.
 */

/** Where a command writes; the process's own streams, or a test's. */
export interface Output {
  out(text: string): void;
  error(text: string): void;
}

/** A subcommand. */
export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  /** What `--help` shows. */
  readonly usage: string;
  /**
   * @param args what follows the command's name
   * @returns the exit code
   * @throws UsageError for arguments that it does not understand; any other error is told by its message
   */
  run(args: string[], output: Output): Promise<number>;
}

/** The command line is wrong: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
