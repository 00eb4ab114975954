/**
 * The command line of `zwire-rpc`: what is to be done, and how.
 */
import { parseArgs } from "node:util";
import { UsageError } from "../errors.js";
import { parseArgument } from "../json.js";
import type { Job } from "./command.js";
import { COMMANDS } from "./commands.js";

const DEFAULT_TIMEOUT_MS = 10_000;

const OPTIONS = {
  timeout: { type: "string", short: "t" },
  strings: { type: "boolean", short: "s", default: false },
  pretty: { type: "boolean", short: "p", default: false },
  limit: { type: "string", short: "n" },
  verbose: { type: "boolean", short: "v", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** parseArgs takes a negative number for an option, so it gets a mark that no argument can have. */
function shield(text: string): string {
  return /^-(\d|\.\d|Infinity)/.test(text) ? `\u0000${text}` : text;
}

function unshield(text: string): string {
  return text.startsWith("\u0000") ? text.slice(1) : text;
}

function integer(name: string, given: string | undefined, otherwise: number): number {
  if (given === undefined) return otherwise;
  const text = unshield(given);
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < 0) {
    throw new UsageError(`--${name} must be an integer of at least 0, not "${text}"`);
  }
  return value;
}

/**
 * Reads a command line; null if it asks for help.
 * @throws UsageError, or an error of parseArgs
 */
export function readJob(argv: readonly string[]): Job | null {
  const { values, positionals } = parseArgs({
    args: argv.map(shield),
    options: OPTIONS,
    allowPositionals: true,
  });
  if (values.help) return null;
  const [name, endpoint, method = "", ...rest] = positionals.map(unshield);
  if (name === undefined)
    throw new UsageError(`say what to do: ${COMMANDS.map((one) => one.name).join(", ")}`);
  const command = COMMANDS.find((one) => one.name === name);
  if (command === undefined) throw new UsageError(`${name}: there is no such command`);
  if (endpoint === undefined) throw new UsageError(`${name}: an endpoint is missing`);
  if (command.method === "required" && method === "")
    throw new UsageError(`${name}: the name of a method is missing`);
  const most = command.method === "required" ? Infinity : command.method === "optional" ? 3 : 2;
  if (positionals.length > most) throw new UsageError(`${name}: too many arguments`);
  const timeout = integer("timeout", values.timeout, DEFAULT_TIMEOUT_MS);
  return {
    command,
    endpoint,
    method,
    args: values.strings ? rest : rest.map(parseArgument),
    timeout: timeout === 0 ? Infinity : timeout,
    limit: integer("limit", values.limit, Infinity),
    pretty: values.pretty,
    verbose: values.verbose,
  };
}
