/** The table as lines of text, for a terminal or a pipe. */
import type { MonitorSnapshot } from "../../index.js";
import type { Column, Row, SocketRow } from "./rows.js";
import { sorted } from "./rows.js";

/** How the table is shown. */
export interface View {
  readonly sort: Column;
  readonly reverse: boolean;
  /** With a row for each peer. */
  readonly peers: boolean;
}

interface Cell {
  readonly title: string;
  readonly by?: Column;
  readonly width: number;
  readonly left?: boolean;
  /** Only where there is room. */
  readonly extra?: boolean;
  show(row: Row): string;
}

const UNITS = ["", "k", "M", "G", "T"];

/** A number in five characters: 999, 12.3k, 4.5M. */
export function short(value: number | null): string {
  if (value === null) return "-";
  let [rest, unit] = [value, 0];
  while (rest >= 999.5 && unit < UNITS.length - 1) [rest, unit] = [rest / 1000, unit + 1];
  const digits = unit === 0 || rest >= 99.95 ? 0 : 1;
  return `${rest.toFixed(digits)}${UNITS[unit]}`;
}

const CELLS: readonly Cell[] = [
  { title: "ID", by: "id", width: 5, show: ({ id }) => String(id) },
  {
    title: "TYPE",
    by: "type",
    width: 8,
    left: true,
    show: (row) => (row.peers === null ? ` ${row.type}` : row.type),
  },
  { title: "PEERS", by: "peers", width: 6, show: ({ peers }) => (peers === null ? "" : short(peers)) },
  { title: "SENT/s", by: "sent", width: 7, show: ({ sent }) => short(sent) },
  { title: "RECV/s", by: "received", width: 7, show: ({ received }) => short(received) },
  { title: "B OUT/s", width: 7, extra: true, show: ({ bytesSent }) => short(bytesSent) },
  { title: "B IN/s", width: 7, extra: true, show: ({ bytesReceived }) => short(bytesReceived) },
  { title: "OUT Q", by: "out", width: 6, show: ({ out }) => short(out) },
  { title: "IN Q", by: "in", width: 6, show: (row) => short(row.in) },
  { title: "DROPS", by: "dropped", width: 6, show: ({ dropped }) => short(dropped) },
];

/** Without room for an endpoint, the columns of bytes are left out. */
const WIDE = 100;

function line(show: (cell: Cell) => string, endpoint: string, width: number): string {
  const fixed = CELLS.filter(({ extra }) => extra !== true || width >= WIDE).map((cell) =>
    cell.left ? show(cell).padEnd(cell.width) : show(cell).padStart(cell.width),
  );
  return `${fixed.join(" ")}  ${endpoint}`.slice(0, width).trimEnd();
}

/** How long: 42 s, 12:05, 3 h 20 min, 2 d 4 h. */
export function duration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const [minutes, hours, days] = [
    Math.floor(seconds / 60),
    Math.floor(seconds / 3600),
    Math.floor(seconds / 86400),
  ];
  if (days > 0) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

/** The first line: which process it is. */
export function heading({ program, sockets }: MonitorSnapshot): string {
  const { script, pid, thread, host, uptime, zwire, engine } = program;
  const where = thread === 0 ? `pid ${pid}` : `pid ${pid} thread ${thread}`;
  const count = `${sockets.length} ${sockets.length === 1 ? "socket" : "sockets"}`;
  return `${script || "node"} (${where} on ${host}), up ${duration(uptime)}, zwire ${zwire} ${engine}, ${count}`;
}

/** The line of titles. The column that rows are sorted by has a mark. */
export function titles(view: View | null, width: number): string {
  const show = ({ title, by }: Cell) =>
    view !== null && by === view.sort ? `${title}${view.reverse ? "^" : "*"}` : title;
  return line(show, "ENDPOINT", width);
}

/** A line for each row. */
export function lines(rows: readonly SocketRow[], view: View, width: number): string[] {
  const shown = (row: Row) => line((cell) => cell.show(row), row.endpoint, width);
  return sorted(rows, view.sort, view.reverse).flatMap((row) => {
    if (!view.peers) return [shown(row)];
    const left = row.peersLeftOut > 0 ? [`      … and ${row.peersLeftOut} more peers`.slice(0, width)] : [];
    return [shown(row), ...sorted(row.children, view.sort, view.reverse).map(shown), ...left];
  });
}
