/**
 * Makes the socket of a command and its endpoints, and tells on standard error what becomes of them.
 */
import { type EventType, type Socket, ZmqError } from "../../index.js";
import type { SocketType } from "../../options/row.js";
import { optionsOf } from "../../options/table.js";
import type { Output } from "../command.js";
import { UsageError } from "../errors.js";
import { type OptionRows, text, type Values } from "../options.js";
import type { Plug } from "./plug.js";
import { SECURITY, securityOptions } from "./security.js";
import { readSocketOptions } from "./socket-options.js";

/** Options of all that have a socket. @param type whose options a shell completes */
export function attaching(type: SocketType) {
  return {
    bind: { kind: text("ENDPOINT"), short: "b", many: true, help: "listen there" },
    connect: { kind: text("ENDPOINT"), short: "c", many: true, help: "connect there" },
    option: {
      kind: text("NAME=VALUE", () => optionsOf(type).map((name) => `${name}=`)),
      short: "o",
      many: true,
      help: "set an option of the socket: docs/options.md lists them",
    },
    ...SECURITY,
    verbose: { short: "v", help: "tell on standard error what becomes of connections" },
  } as const satisfies OptionRows;
}

type Given = Values<ReturnType<typeof attaching>>;

/** Codes of errors that a wrong command line causes. */
const WRONG = ["EINVAL", "EPROTONOSUPPORT", "ENAMETOOLONG", "ENOCOMPATPROTO", "ENOTSUP"];

/** What the socket says of the command line. */
export function asUsage(error: unknown): unknown {
  const wrong = error instanceof ZmqError ? WRONG.includes(error.code) : error instanceof TypeError;
  return wrong ? new UsageError((error as Error).message) : error;
}

/** So many different failures of connections are told. Peers decide how many there are. */
const TOLD_AT_MOST = 20;

/** What events tell: not each has all of it. */
interface Told {
  readonly type: string;
  readonly address?: string;
  readonly interval?: number;
  readonly limit?: string;
  readonly action?: string;
  readonly error?: Error;
}

function describe({ type, address = "", interval, limit, action, error }: Told): string {
  const again = interval === undefined ? "" : `again in ${Math.round(interval)} ms`;
  const reached = limit === undefined ? "" : `${limit} (${action})`;
  return [type, address, again, reached, error?.message ?? ""].filter((part) => part !== "").join(" ");
}

const PROGRESS: readonly EventType[] = [
  "bind",
  "accept",
  "connect",
  "connect:retry",
  "disconnect",
  "handshake",
  "limit",
];
const FAILURES: readonly EventType[] = [
  "handshake:error:protocol",
  "handshake:error:auth",
  "handshake:error:tls",
  "handshake:error:other",
];

function tell(socket: Socket, name: string, verbose: boolean, output: Output): void {
  if (verbose) {
    for (const type of PROGRESS)
      socket.on<EventType>(type, (event: Told) => output.error(`zwire ${name}: ${describe(event)}\n`));
  }
  const told = new Set<string>();
  for (const type of FAILURES) {
    socket.on<EventType>(type, (event: Told) => {
      const text = event.error?.message ?? event.type;
      if (!verbose && (told.has(text) || told.size === TOLD_AT_MOST)) return;
      told.add(text);
      output.error(`zwire ${name}: ${describe(event)}\n`);
    });
  }
}

/**
 * A socket that is bound and connected as the command line says.
 * @param create makes it, with these options
 * @throws UsageError, and what bind() and connect() reject with
 */
export async function attach(
  name: string,
  type: SocketType,
  given: Given,
  create: (options: Record<string, unknown>) => Plug,
  output: Output,
): Promise<Plug> {
  if (given.bind.length + given.connect.length === 0)
    throw new UsageError("Give --bind or --connect, with an endpoint such as tcp://127.0.0.1:5555.");
  const within = [...given.bind, ...given.connect].find((endpoint) => endpoint.startsWith("inproc:"));
  if (within !== undefined)
    throw new UsageError(
      `${within}: inproc connects sockets within a process, and this process has no other`,
    );
  const options = { linger: -1, ...(await securityOptions(given)), ...readSocketOptions(type, given.option) };
  let plug: Plug | undefined;
  try {
    plug = create(options);
    tell(plug.socket, name, given.verbose, output);
    for (const endpoint of given.bind) {
      const bound = await plug.socket.bind(endpoint);
      // The port of tcp://*:* has to be known to be of use.
      if (bound !== endpoint) output.error(`zwire ${name}: bound to ${bound}\n`);
    }
    for (const endpoint of given.connect) plug.socket.connect(endpoint);
    return plug;
  } catch (error) {
    await plug?.socket.close({ linger: 0 });
    throw asUsage(error);
  }
}
