/**
 * How a command of `zwire` ends: its exit code, and the errors that stand for one.
 */

/** Exit codes of `zwire`. A command that a signal ended before its work was done has 128 and the signal's number. */
export const EXIT = { ok: 0, failed: 1, usage: 2, timeout: 3 } as const;

/** The command line is wrong: exit code 2, and how to get help is printed. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Something did not come in time: exit code 3. */
export class TimeoutError extends Error {
  override readonly name = "TimeoutError";
}

/** Whether an error is about the command line: ours, or one of `parseArgs`. */
export function isUsageError(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return error instanceof UsageError || (code?.startsWith("ERR_PARSE_ARGS") ?? false);
}

/** The exit code for what a command threw. */
export function exitCodeOf(error: unknown): number {
  if (isUsageError(error)) return EXIT.usage;
  return error instanceof TimeoutError ? EXIT.timeout : EXIT.failed;
}
