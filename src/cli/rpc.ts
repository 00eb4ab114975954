#!/usr/bin/env node
/**
 * The command `zwire-rpc`: asks a zerorpc server from a terminal. Joins arguments, a client and the terminal; knows
 * nothing of events and channels.
 */
import { parseArgs } from "node:util";
import {
  type Client,
  connect,
  LostRemote,
  type MethodDescription,
  type RemoteControl,
  RemoteError,
  RpcError,
  type RpcStream,
  TimeoutExpired,
  UnknownMethod,
} from "../rpc.js";

const USAGE = `zwire-rpc: calls functions of a zerorpc server (zwire, Python) from a terminal

  zwire-rpc list     ENDPOINT                       names of its functions
  zwire-rpc inspect  ENDPOINT [METHOD]              their parameters and what they say about themselves
  zwire-rpc call     ENDPOINT METHOD [ARGUMENT...]  one call; prints the result as JSON
  zwire-rpc stream   ENDPOINT METHOD [ARGUMENT...]  one JSON value per line, as they come

  ENDPOINT is tcp://host:port or ipc://path. ARGUMENT is JSON: 3, '"text"', '[1, 2]', '{"a": null}'; {"$base64": "…"} is bytes.

  -t, --timeout MS   for the first answer (default 10000; 0 waits for ever)
  -s, --strings      arguments are text as they stand, not JSON
  -p, --pretty       results over several lines
  -n, --limit N      stream: leave after N values
  -v, --verbose      errors with the traceback of the server
  -h, --help

  exit code: 0 done, 1 the function raised an error, 2 wrong arguments, 3 no answer in time, 4 the connection broke,
  5 anything else
`;

const EXIT = { raised: 1, usage: 2, timeout: 3, lost: 4, other: 5, interrupted: 130 } as const;

/** What is wrong with the command line, or with the terminal's wish. */
class UsageError extends Error {}

interface Job {
  readonly verb: string;
  readonly endpoint: string;
  readonly method: string | undefined;
  readonly args: readonly unknown[];
  readonly timeout: number;
  readonly limit: number;
  readonly pretty: boolean;
  readonly verbose: boolean;
}

/** Bytes, and integers beyond what JSON's readers keep. */
function revive(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const keys = Object.keys(value);
  const { $base64 } = value as { $base64?: unknown };
  return keys.length === 1 && typeof $base64 === "string" ? Buffer.from($base64, "base64") : value;
}

function parseArgument(text: string): unknown {
  try {
    return JSON.parse(text, revive);
  } catch {
    const hint = `for text write '"${text}"' with both kinds of quotes, or use --strings`;
    throw new UsageError(`${text}: not JSON (${hint})`);
  }
}

/** A value as JSON: bytes as {"$base64"}, large integers in full, what JSON lacks as null. */
function print({ pretty }: Job, value: unknown): void {
  const big = new Map<string, string>();
  const plain = (_key: string, one: unknown): unknown => {
    if (typeof one === "bigint") {
      const mark = `\u0000${big.size}\u0000`;
      big.set(JSON.stringify(mark), one.toString());
      return mark;
    }
    if (one instanceof Map) return Object.fromEntries(one);
    return one;
  };
  const text = JSON.stringify(bytesAsText(value), plain, pretty ? 2 : undefined) ?? "null";
  process.stdout.write(`${text.replace(/"\\u0000\d+\\u0000"/g, (mark) => big.get(mark) ?? mark)}\n`);
}

/** Buffers have a toJSON that runs before a replacer sees them. */
function bytesAsText(value: unknown): unknown {
  if (value instanceof Uint8Array) return { $base64: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return value.map(bytesAsText);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, bytesAsText(one)]));
}

function integer(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < 0) {
    throw new UsageError(`--${name} must be an integer of at least 0, not "${text}"`);
  }
  return value;
}

const OPTIONS = {
  timeout: { type: "string", short: "t" },
  strings: { type: "boolean", short: "s", default: false },
  pretty: { type: "boolean", short: "p", default: false },
  limit: { type: "string", short: "n" },
  verbose: { type: "boolean", short: "v", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** A negative number among the arguments is no option; everything after the method is an argument or one of OPTIONS. */
function shield(argv: readonly string[]): string[] {
  return argv.map((text) => (/^-(\d|\.\d|Infinity)/.test(text) ? `\u0000${text}` : text));
}

function readArguments(argv: readonly string[]): Job | null {
  let parsed: ReturnType<
    typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true; args: string[] }>
  >;
  try {
    parsed = parseArgs({ args: shield(argv), options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { values } = parsed;
  const unshield = (text: string): string => (text.startsWith("\u0000") ? text.slice(1) : text);
  const [verb, endpoint, method, ...rest] = parsed.positionals.map(unshield);
  if (values.help) return null;
  if (verb === undefined) throw new UsageError("say what to do");
  if (!["list", "inspect", "call", "stream"].includes(verb)) throw new UsageError(`${verb}: no such command`);
  if (endpoint === undefined) throw new UsageError(`${verb}: an endpoint is missing`);
  if ((verb === "call" || verb === "stream") && method === undefined) {
    throw new UsageError(`${verb}: the name of a method is missing`);
  }
  const most = verb === "list" ? 2 : verb === "inspect" ? 3 : Infinity;
  if (parsed.positionals.length > most) throw new UsageError(`${verb}: too many arguments`);
  const timeout = integer("timeout", values.timeout && unshield(values.timeout), 10_000);
  return {
    verb,
    endpoint,
    method,
    args: values.strings ? rest : rest.map(parseArgument),
    timeout: timeout === 0 ? Infinity : timeout,
    limit: integer("limit", values.limit && unshield(values.limit), Infinity),
    pretty: values.pretty,
    verbose: values.verbose,
  };
}

type Remote = RemoteControl<Client>;

function describeMethod(name: string, { args, doc }: MethodDescription): string {
  const parameters = (args ?? []).map((one) =>
    "default" in one ? `${one.name} = ${JSON.stringify(bytesAsText(one.default)) ?? "…"}` : one.name,
  );
  const text = doc?.trim().replaceAll("\n", "\n    ");
  return `${name}(${args === null ? "…" : parameters.join(", ")})${text ? `\n    ${text}` : ""}`;
}

async function inspect(remote: Remote, { method }: Job): Promise<void> {
  const { name, methods } = await remote.$client.inspect();
  if (method !== undefined && methods[method] === undefined) {
    throw new UnknownMethod("NameError", method, { method });
  }
  if (method === undefined) process.stdout.write(`${name}\n`);
  for (const [one, about] of Object.entries(methods)) {
    if (method === undefined || method === one) process.stdout.write(`${describeMethod(one, about)}\n`);
  }
}

async function stream(remote: Remote, job: Job): Promise<void> {
  if (job.limit === 0) return;
  let left = job.limit;
  for await (const item of remote.$stream(job.method!, job.args) as RpcStream<unknown>) {
    print(job, item);
    // A terminal, or `head`, that takes its time must not fill our memory.
    if (process.stdout.writableNeedDrain)
      await new Promise((resolve) => process.stdout.once("drain", resolve));
    if (--left === 0) break;
  }
}

async function run(job: Job): Promise<void> {
  const remote = connect(job.endpoint, { timeout: job.timeout });
  try {
    if (job.verb === "list")
      for (const name of await remote.$call<string[]>("_zerorpc_list")) process.stdout.write(`${name}\n`);
    else if (job.verb === "inspect") await inspect(remote, job);
    else if (job.verb === "stream") await stream(remote, job);
    else await call(remote, job);
  } finally {
    await remote.$close();
  }
}

async function call(remote: Remote, job: Job): Promise<void> {
  const result = await remote.$call(job.method!, job.args);
  if (typeof result === "object" && result !== null && Symbol.asyncIterator in result) {
    throw new UsageError(`${job.method} streams its results: use zwire-rpc stream`);
  }
  print(job, result);
}

function exitCode(error: unknown): number {
  if (error instanceof UsageError || error instanceof TypeError || error instanceof RangeError)
    return EXIT.usage;
  if (error instanceof TimeoutExpired) return EXIT.timeout;
  if (error instanceof LostRemote) return EXIT.lost;
  if (error instanceof RemoteError) return EXIT.raised;
  const { code } = error as { code?: string };
  return ["EINVAL", "EPROTONOSUPPORT", "ENAMETOOLONG"].includes(code ?? "") ? EXIT.usage : EXIT.other;
}

/** One line, two where there is something to try. */
function complaint(error: unknown, verbose: boolean): string {
  if (error instanceof UsageError) return `zwire-rpc: ${error.message}\ntry: zwire-rpc --help\n`;
  if (error instanceof UnknownMethod) return `zwire-rpc: no such method: ${error.method ?? error.message}\n`;
  if (error instanceof RemoteError) {
    return `${error.name}: ${error.message}\n${verbose && error.traceback ? `${error.traceback.trimEnd()}\n` : ""}`;
  }
  if (error instanceof RpcError) return `zwire-rpc: ${error.message}\n`;
  const { message, stack } = error as Error;
  return `zwire-rpc: ${verbose && stack ? stack : message}\n`;
}

async function main(argv: readonly string[]): Promise<number> {
  // `zwire-rpc stream … | head`: the reader has gone, which is no failure of ours.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? 0 : EXIT.other);
  });
  let job: Job | null = null;
  try {
    job = readArguments(argv);
    if (job === null) process.stdout.write(USAGE);
    else await run(job);
    return 0;
  } catch (error) {
    process.stderr.write(complaint(error, job?.verbose ?? false));
    return exitCode(error);
  }
}

process.exitCode = await main(process.argv.slice(2));
