/**
 * The command `zwire`: finds the command that the command line names, and runs it.
 */
import { version } from "../core/version.js";
import type { Command, Output } from "./command.js";
import { COMMANDS } from "./commands.js";
import { EXIT, exitCodeOf, isUsageError } from "./errors.js";
import { columns } from "./options.js";

const OVERVIEW = `zwire <command> [arguments]

${columns(COMMANDS.map(({ name, summary }) => [name, summary]))}
zwire <command> --help describes a command. zwire --version prints the version.
`;

/**
 * Runs a command line. Resolves to the exit code: 0 if all went well, 1 if the command failed, 2 if the command line is
 * wrong, 3 if something did not come in time.
 */
export async function main(args: readonly string[], output: Output): Promise<number> {
  const [name, ...rest] = args;
  if (name === "--version") {
    output.out(`${version}\n`);
    return EXIT.ok;
  }
  if (name === "--help" || name === "-h" || (name === "help" && rest.length === 0)) {
    output.out(OVERVIEW);
    return EXIT.ok;
  }
  if (name === "help") return main([rest[0], "--help"], output);
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
  try {
    return await command.run(args, output);
  } catch (error) {
    const help = isUsageError(error) ? `\n${command.synopsis}\nzwire ${name} --help says more.\n` : "";
    output.error(`zwire ${name}: ${(error as Error).message}\n${help}`);
    return exitCodeOf(error);
  }
}
