/**
 * The command `zwire`: finds the command that the command line names, and runs it.
 */
import { version } from "../core/version.js";
import { type Command, columns, isUsageError, type Output } from "./command.js";
import { COMMANDS } from "./commands.js";

const EXIT = { failed: 1, usage: 2 } as const;

const OVERVIEW = `zwire <command> [arguments]

${columns(COMMANDS.map(({ name, summary }) => [name, summary]))}
zwire <command> --help describes a command. zwire --version prints the version.
`;

/**
 * Runs a command line. Resolves to the exit code: 0 if all went well, 1 if the command failed, 2 if the command line is
 * wrong.
 */
export async function main(args: readonly string[], output: Output): Promise<number> {
  const [name, ...rest] = args;
  if (name === "--version") {
    output.out(`${version}\n`);
    return 0;
  }
  if (name === "--help" || name === "help") {
    output.out(OVERVIEW);
    return 0;
  }
  if (name === undefined) {
    output.error(OVERVIEW);
    return EXIT.usage;
  }
  const entry = COMMANDS.find((one) => one.name === name);
  if (entry === undefined) {
    output.error(`zwire: there is no command "${name}".\n\n${OVERVIEW}`);
    return EXIT.usage;
  }
  return runCommand(name, await entry.load(), rest, output);
}

async function runCommand(name: string, command: Command, args: string[], output: Output): Promise<number> {
  if (args.includes("--help")) {
    output.out(`${command.usage}\n`);
    return 0;
  }
  try {
    return await command.run(args, output);
  } catch (error) {
    const usage = isUsageError(error);
    output.error(`zwire ${name}: ${(error as Error).message}\n${usage ? `\n${command.usage}\n` : ""}`);
    return usage ? EXIT.usage : EXIT.failed;
  }
}
