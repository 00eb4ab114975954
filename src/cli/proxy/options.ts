/**
 * The options of `zwire proxy`: those of a socket, for each of its sides, as in `--frontend-bind`.
 */
import { optionsOf } from "../../options/table.js";
import { UsageError } from "../errors.js";
import { attaching } from "../messages/attach.js";
import { type OptionRow, oneOf, text, type Values } from "../options.js";
import { SOCKETS, type TypeName } from "./sockets.js";

/** The sides of a proxy. */
export type SideName = "frontend" | "backend" | "capture";

type SocketRows = Omit<ReturnType<typeof attaching>, "verbose">;
type RowName = keyof SocketRows;

/** The table of one side. Short names are for commands that have one socket. */
type SideRows<Side extends SideName> = {
  readonly [Name in RowName as `${Side}-${Name}`]: SocketRows[Name];
};

const TYPES = Object.keys(SOCKETS) as TypeName[];

function everyOption(): string[] {
  const names = TYPES.flatMap((type) => optionsOf(SOCKETS[type].type).map((name) => `${name}=`));
  return [...new Set(names)].sort();
}

const { verbose: _verbose, ...SOCKET_ROWS } = attaching("ROUTER");
const ROWS: SocketRows = {
  ...SOCKET_ROWS,
  option: { ...SOCKET_ROWS.option, kind: text("NAME=VALUE", everyOption) },
};

function rowsOf<Side extends SideName>(side: Side): SideRows<Side> {
  const rows = Object.entries<OptionRow>(ROWS).map(([name, { short: _short, ...row }]) => [
    `${side}-${name}`,
    row,
  ]);
  return Object.fromEntries(rows) as SideRows<Side>;
}

/** The type of a socket. */
const typed = oneOf(...TYPES);
const kind = { ...typed, shown: "TYPE" };

/** All of it, with what is given for every proxy first. */
export const PROXY_OPTIONS = {
  frontend: { kind, help: `the type of the one socket: ${TYPES.join(", ")}` },
  backend: { kind, help: "the type of the other socket" },
  capture: { kind, help: "the type of a socket that gets a copy of every message, such as pub or push" },
  verbose: {
    short: "v",
    help: "tell on standard error what becomes of connections, and at the end what was forwarded",
  },
  ...rowsOf("frontend"),
  ...rowsOf("backend"),
  ...rowsOf("capture"),
} as const;

export type Given = Values<typeof PROXY_OPTIONS>;

/** What the command line says of one side, as attach() takes it. */
export function givenFor(side: SideName, given: Given) {
  const own = Object.keys(ROWS).map((name) => [name, given[`${side}-${name as RowName}`]]);
  return { ...Object.fromEntries(own), verbose: given.verbose } as Values<ReturnType<typeof attaching>>;
}

/** Whether the command line says anything of a side besides its type. */
export function isGiven(side: SideName, given: Given): boolean {
  return Object.keys(ROWS).some((name) => {
    const value: unknown = given[`${side}-${name as RowName}`];
    return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
  });
}

const NAMES = new RegExp(`--(?=(?:${Object.keys(ROWS).join("|")})(?![\\w-]))`, "g");

/** The error with the names that the options have here: attach() does not know of sides. */
export function ofSide(side: SideName, error: unknown): unknown {
  if (!(error instanceof UsageError)) return error;
  const named = error.message.replace(NAMES, `--${side}-`);
  return new UsageError(named === error.message ? `--${side}: ${named}` : named);
}
