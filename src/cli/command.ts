/**
 * What a command of `zwire` is, and how one is made:
 *
 * ```typescript
 * // commands/greet.ts, with a row in commands.ts
 * export const greet = command({
 *   synopsis: "zwire greet [options] name",
 *   about: "Greets somebody.",
 *   options: {
 *     loud: { short: "l", help: "in capitals" }, // a flag
 *     count: { kind: integer(1), initial: 1, help: "how often" }, // a value; text(), path(), oneOf() are other kinds
 *     tag: { kind: text(), many: true, help: "a word behind it" }, // an array
 *   },
 *   positionals: { shown: "name", least: 1, most: 1 },
 *   examples: [["zwire greet --loud Ada", "greets her in capitals"]],
 *   async run({ values, positionals: [name] }, output) {
 *     output.out(`${values.loud ? name.toUpperCase() : name}\n`.repeat(values.count));
 *     return EXIT.ok;
 *   },
 * });
 * ```
 *
 * The command line is read by the table of options; the types of `values` follow from it. `--help`, `-h` and what a shell
 * completes (`zwire completion`) are made from it, so a row is all that a new option needs. Rows that commands share are
 * objects that they spread into their tables.
 */

import { UsageError } from "./errors.js";
import { describeOptions, type Kind, type OptionRows, readOptions, type Values } from "./options.js";

/** Where a command writes: the streams of the process, or those of a test. */
export interface Output {
  out(data: string | Uint8Array): void;
  error(text: string): void;
  /** Resolves when the reader of `out` has kept up. Await it between the parts of a long output. */
  drained(): Promise<void>;
  /**
   * The listener is called when the reader of `out` is gone, instead of ending the process. Absent in tests that have no
   * such reader.
   */
  onGone?(listener: () => void): void;
}

/** What follows the options of a command. */
export interface Positionals {
  /** Their name in errors, such as "file". */
  readonly shown: string;
  /** How many there must be. Default 0. */
  readonly least?: number;
  /** How many there may be. Default: any number. */
  readonly most?: number;
  /** What a shell completes. */
  readonly completes?: Kind["completes"];
}

/** A command. */
export interface Command {
  /** What `--help` shows first, and what a wrong command line is answered with. */
  readonly synopsis: string;
  /** What `--help` shows. */
  readonly usage: string;
  readonly options: OptionRows;
  readonly positionals: Positionals;
  /**
   * Runs the command with the arguments behind its name. Resolves to the exit code.
   * @throws UsageError for arguments that it does not understand, TimeoutError; for any other error the message is printed
   */
  run(args: readonly string[], output: Output): Promise<number>;
}

/** A command line that was read. */
export interface Given<Rows extends OptionRows> {
  readonly values: Values<Rows>;
  readonly positionals: readonly string[];
}

/** What a command is made of. */
export interface Parts<Rows extends OptionRows> {
  /** `zwire name [options] …`; several lines for several forms. */
  readonly synopsis: string;
  /** What it does. */
  readonly about: string;
  readonly options: Rows;
  /** Default: none may be given. */
  readonly positionals?: Positionals;
  /** Lines that run as they stand, each with what it does. */
  readonly examples?: readonly (readonly [line: string, meaning: string])[];
  /** Does it. Resolves to the exit code. */
  run(given: Given<Rows>, output: Output): Promise<number>;
}

const NONE: Positionals = { shown: "argument", most: 0 };

function checkPositionals(
  { shown, least = 0, most = Infinity }: Positionals,
  given: readonly string[],
): void {
  const named = (count: number) => (count === 1 ? `one ${shown}` : `${count} ${shown}s`);
  if (given.length < least)
    throw new UsageError(`Give ${named(least)}${most > least ? " or more" : ""}; got ${given.length}.`);
  if (given.length <= most) return;
  if (most === 0) throw new UsageError(`It takes no arguments: "${given[0]}" is too many.`);
  throw new UsageError(`Give ${named(most)} at most, not ${given.length}.`);
}

/** Makes a command of its parts. */
export function command<const Rows extends OptionRows>(parts: Parts<Rows>): Command {
  const { synopsis, about, options, positionals = NONE, examples = [] } = parts;
  const shown = examples.map(([line, meaning]) => `  ${line}\n      ${meaning}\n`).join("");
  const usage = `${synopsis}\n\n${about}\n\n${describeOptions(options)}${shown && `\nExamples:\n${shown}`}`;
  return {
    synopsis,
    usage,
    options,
    positionals,
    async run(args, output) {
      const given = readOptions(options, args);
      if (given.help) {
        output.out(usage);
        return 0;
      }
      checkPositionals(positionals, given.positionals);
      return parts.run(given, output);
    },
  };
}

/** A command as the list shows it, before it is loaded. */
export interface CommandEntry {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** Imports the command, so that no command pays for another. */
  load(): Promise<Command>;
}
