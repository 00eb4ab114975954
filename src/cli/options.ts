/**
 * The options of a command as a table: a row for each, with its name, what its value may be, and its help. The command line
 * is read by it, and `--help` and the completion scripts are made from it. command.ts shows how a command has one.
 */
import { parseArgs } from "node:util";
import { UsageError } from "./errors.js";

/** What the value of an option, or an argument, may be. */
export interface Kind<T = unknown> {
  /** The value's name in `--help`, such as FILE. */
  readonly shown: string;
  /** @throws UsageError for a text that is no such value; `name` is the option's, with its dashes */
  read(text: string, name: string): T;
  /** What a shell completes: files, folders, or some words. Nothing if left out. */
  readonly completes?: "files" | "folders" | (() => readonly string[]);
}

/** Any text. @param shown its name in `--help` */
export function text(shown = "TEXT", completes?: () => readonly string[]): Kind<string> {
  return { shown, read: (given) => given, ...(completes && { completes }) };
}

/** The path of a file or of a folder; not empty. */
export function path(completes: "files" | "folders" = "files"): Kind<string> {
  return {
    shown: completes === "files" ? "FILE" : "FOLDER",
    completes,
    read: (given, name) => {
      if (given === "") throw new UsageError(`${name} must be a path; it is empty`);
      return given;
    },
  };
}

/** A whole number. @param shown its name in `--help`: N, MS, BYTES */
export function integer(minimum: number, maximum = Number.MAX_SAFE_INTEGER, shown = "N"): Kind<number> {
  const range =
    maximum === Number.MAX_SAFE_INTEGER ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
  return {
    shown,
    read: (given, name) => {
      const value = /^-?\d+$/.test(given) ? Number(given) : Number.NaN;
      if (Number.isSafeInteger(value) && value >= minimum && value <= maximum) return value;
      throw new UsageError(`${name} must be an integer ${range}; got "${given}"`);
    },
  };
}

/** One of some words. */
export function oneOf<const Word extends string>(...words: readonly Word[]): Kind<Word> {
  return {
    shown: words.join("|"),
    completes: () => words,
    read: (given, name) => {
      if ((words as readonly string[]).includes(given)) return given as Word;
      throw new UsageError(`${name} must be one of ${words.join(", ")}; got "${given}"`);
    },
  };
}

/** One option. Without `kind` it is a flag, which takes no value. */
export interface OptionRow<T = unknown> {
  readonly kind?: Kind<T>;
  /** One letter, for `-n` beside `--count`. */
  readonly short?: string;
  /** May be given several times: the value is an array. */
  readonly many?: boolean;
  /** The value if it is not given. `--help` shows it. */
  readonly initial?: T;
  /** What it does, without a full stop. */
  readonly help: string;
}

/** The options of a command by their names, without dashes. */
export type OptionRows = Readonly<Record<string, OptionRow>>;

type ValueOf<Row> = Row extends { kind: Kind<infer T> }
  ? Row extends { many: true }
    ? readonly T[]
    : Row extends { initial: unknown }
      ? T
      : T | undefined
  : boolean;

/** What a command line gives for each option. A flag that is not given is false, an option of many is empty. */
export type Values<Rows extends OptionRows> = { readonly [Name in keyof Rows]: ValueOf<Rows[Name]> };

/** What every command has. */
const COMMON = { help: { short: "h", help: "print this text" } } as const satisfies OptionRows;

/** The options of a command with those that every command has. */
export function withCommon(rows: OptionRows): OptionRows {
  return { ...rows, ...COMMON };
}

/** parseArgs takes a negative number behind an option for another option, so both are put together. */
function joined(args: readonly string[], rows: OptionRows): string[] {
  const takesValue = (arg: string) => rows[arg.slice(2)]?.kind !== undefined && arg.startsWith("--");
  const result: string[] = [];
  for (let at = 0; at < args.length; at++) {
    if (args[at] === "--") return result.concat(args.slice(at));
    const negative = takesValue(args[at]) && /^-\d/.test(args[at + 1] ?? "");
    result.push(negative ? `${args[at]}=${args[++at]}` : args[at]);
  }
  return result;
}

function valueOf(name: string, { kind, many, initial }: OptionRow, given: unknown): unknown {
  if (kind === undefined) return given ?? false;
  const read = (one: string) => kind.read(one, `--${name}`);
  if (many) return ((given as string[] | undefined) ?? []).map(read);
  return given === undefined ? initial : read(given as string);
}

/**
 * Reads a command line by a table.
 * @throws UsageError, or an error of parseArgs
 */
export function readOptions<Rows extends OptionRows>(
  rows: Rows,
  args: readonly string[],
): { values: Values<Rows>; positionals: string[]; help: boolean } {
  const all = withCommon(rows);
  const { values, positionals } = parseArgs({
    args: joined(args, all),
    allowPositionals: true,
    options: Object.fromEntries(
      Object.entries(all).map(([name, { kind, short, many = false }]) => [
        name,
        { type: kind === undefined ? "boolean" : "string", multiple: many, ...(short && { short }) },
      ]),
    ),
  });
  const help = values.help === true;
  // Who asks for help gets it, whatever else is wrong.
  const read = help
    ? []
    : Object.entries(rows).map(([name, row]) => [name, valueOf(name, row, values[name])]);
  return { values: Object.fromEntries(read) as Values<Rows>, positionals, help };
}

const WIDTH = 100;

/** Text in lines of at most `width` characters, where it has spaces. */
function wrapped(paragraph: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of paragraph.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** A left column that is wider has a line for itself. */
const LEFT_AT_MOST = 32;

/** Rows of two columns, indented. The right one is wrapped. */
export function columns(rows: readonly (readonly [left: string, right: string])[]): string {
  const fitting = rows.map(([left]) => left.length).filter((length) => length <= LEFT_AT_MOST);
  const width = Math.max(...fitting, 0);
  const indent = `\n${" ".repeat(width + 4)}`;
  return rows
    .map(([left, right]) => {
      const text = wrapped(right, WIDTH - width - 4).join(indent);
      return left.length > width ? `  ${left}${indent}${text}\n` : `  ${left.padEnd(width)}  ${text}\n`;
    })
    .join("");
}

/** The table as `--help` shows it. */
export function describeOptions(rows: OptionRows): string {
  return columns(
    Object.entries(withCommon(rows)).map(([name, { kind, short, many, initial, help }]) => {
      const value = kind === undefined ? "" : ` ${kind.shown}`;
      const notes = [many ? "may be repeated" : "", initial === undefined ? "" : `default ${initial}`];
      const noted = notes.filter((note) => note !== "").join("; ");
      return [`${short ? `-${short}, ` : ""}--${name}${value}`, noted === "" ? help : `${help} (${noted})`];
    }),
  );
}
