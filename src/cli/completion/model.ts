/**
 * What shells complete: the commands with their options, from the same tables that read the command line.
 */
import type { CommandEntry } from "../command.js";
import { type Kind, type OptionRow, withCommon } from "../options.js";

/** What is completed at one place. */
export type Completes = "files" | "folders" | "nothing" | readonly string[];

export interface OptionModel {
  /** Without dashes. */
  readonly name: string;
  readonly short: string | undefined;
  readonly many: boolean;
  readonly help: string;
  /** The name of the value and what completes it; undefined for a flag. */
  readonly value: { readonly shown: string; readonly completes: Completes } | undefined;
}

export interface CommandModel {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionModel[];
  /** What the arguments are called, and what completes them. */
  readonly arguments: { readonly shown: string; readonly completes: Completes };
}

function completes(kind: Kind["completes"]): Completes {
  return typeof kind === "function" ? kind() : (kind ?? "nothing");
}

function optionModel([name, row]: [string, OptionRow]): OptionModel {
  const { kind, short, many = false, help } = row;
  const value = kind && { shown: kind.shown, completes: completes(kind.completes) };
  return { name, short, many, help, value };
}

/** Loads all commands. */
export async function modelOf(entries: readonly CommandEntry[]): Promise<CommandModel[]> {
  return Promise.all(
    entries.map(async ({ name, summary, load }) => {
      const { options, positionals } = await load();
      return {
        name,
        summary,
        options: Object.entries(withCommon(options)).map(optionModel),
        arguments: { shown: positionals.shown, completes: completes(positionals.completes) },
      };
    }),
  );
}

/** The words that stand for an option. */
export function wordsOf({ name, short }: OptionModel): string[] {
  return short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`];
}

/** A text in single quotes, for bash and zsh. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
