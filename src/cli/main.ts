/**
 * The command `zwire`: hands the command line to a subcommand. A new one is a line in COMMANDS and a file of its own.
 */
import { version } from "../core/version.js";
import { type Command, type Output, UsageError } from "./command.js";

/** Loaded when they are called, so that none pays for another. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  keygen: async () => (await import("./keygen.js")).keygen,
};

const USAGE = 2;

async function overview(): Promise<string> {
  const names = Object.keys(COMMANDS);
  const width = Math.max(...names.map((name) => name.length));
  const lines = await Promise.all(
    names.map(async (name) => `  ${name.padEnd(width)}  ${(await COMMANDS[name]()).summary}`),
  );
  return `zwire <command> [arguments]\n\n${lines.join("\n")}\n\nzwire <command> --help says more; zwire --version\n`;
}

/** Whether an error is about the command line: ours, or parseArgs's. */
function isUsage(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return error instanceof UsageError || (code?.startsWith("ERR_PARSE_ARGS") ?? false);
}

/** Runs a command line; resolves to the exit code: 0, 1 for what could not be done, 2 for a wrong command line. */
export async function main(args: readonly string[], output: Output): Promise<number> {
  const [name, ...rest] = args;
  if (name === "--version") {
    output.out(`${version}\n`);
    return 0;
  }
  if (name === undefined || name === "--help" || name === "help") {
    const text = await overview();
    if (name === undefined) output.error(text);
    else output.out(text);
    return name === undefined ? USAGE : 0;
  }
  if (!Object.hasOwn(COMMANDS, name)) {
    output.error(`zwire: there is no command "${name}"\n\n${await overview()}`);
    return USAGE;
  }
  return runCommand(name, await COMMANDS[name](), rest, output);
}

async function runCommand(name: string, command: Command, args: string[], output: Output): Promise<number> {
  if (args.includes("--help")) {
    output.out(`${command.usage}\n`);
    return 0;
  }
  try {
    return await command.run(args, output);
  } catch (error) {
    const usage = isUsage(error);
    output.error(`zwire ${name}: ${(error as Error).message}\n${usage ? `\n${command.usage}\n` : ""}`);
    return usage ? USAGE : 1;
  }
}
