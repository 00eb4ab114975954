/** `zwire top`: the sockets and peers of a process that has opened a monitor, as a table that follows it. */
import type { MonitorSnapshot } from "../../index.js";
import { command, type Output } from "../command.js";
import { Ending } from "../ending.js";
import { EXIT, TimeoutError, UsageError } from "../errors.js";
import { SECURITY, securityOptions } from "../messages/security.js";
import { integer, oneOf } from "../options.js";
import { MonitorReader } from "../top/reader.js";
import { COLUMNS, rowsOf } from "../top/rows.js";
import { Screen } from "../top/screen.js";
import { heading, lines, titles, type View } from "../top/table.js";

/** Snapshots that come so soon after another one were asked for by another reader: too soon for rates. */
const TOO_SOON_MS = 100;
/** Without a snapshot for so many intervals, the table says so. */
const SILENCE = 3;

/** Two snapshots, for rates. The second one is undefined if it does not come. */
async function two(
  reader: MonitorReader,
  timeout: number,
  signal: AbortSignal,
): Promise<[first: MonitorSnapshot, second: MonitorSnapshot | undefined]> {
  const first = await reader.next(timeout, signal);
  const soon = Math.min(TOO_SOON_MS, first.interval / 2);
  try {
    for (;;) {
      const second = await reader.next(Math.min(timeout, SILENCE * first.interval), signal);
      if (second.clock - first.clock >= soon) return [first, second];
    }
  } catch (error) {
    if (error instanceof TimeoutError) return [first, undefined];
    throw error;
  }
}

async function printOnce(
  reader: MonitorReader,
  view: View,
  timeout: number,
  json: boolean,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const [first, second] = await two(reader, timeout, signal);
  const newest = second ?? first;
  const rows = rowsOf(newest, second && first);
  if (json) {
    const { version, time, program } = newest;
    output.out(`${JSON.stringify({ version, time, program, sockets: rows })}\n`);
    return;
  }
  const text = [heading(newest), titles(null, Infinity), ...lines(rows, view, Infinity)];
  output.out(`${text.join("\n")}\n`);
}

/** Where snapshots are shown as they come. */
interface Live {
  show(now: MonitorSnapshot, before: MonitorSnapshot | undefined): void;
  /** None has come for a while. */
  note(text: string): void;
}

/** Shows snapshots until the signal ends it. */
async function follow(reader: MonitorReader, live: Live, signal: AbortSignal): Promise<void> {
  let before: MonitorSnapshot | undefined;
  while (!signal.aborted) {
    const interval = before?.interval ?? 1000;
    try {
      const now = await reader.next(Math.max(1000, SILENCE * interval), signal);
      if (isTooSoon(now, before)) continue;
      live.show(now, before);
      before = now;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof TimeoutError)) throw error;
      live.note(error.message);
    }
  }
}

/** Whether a snapshot was asked for by another reader, so soon after one of the same process that it gives no rates. */
function isTooSoon(now: MonitorSnapshot, before: MonitorSnapshot | undefined): boolean {
  if (before === undefined || now.program.pid !== before.program.pid) return false;
  return now.clock - before.clock < Math.min(TOO_SOON_MS, now.interval / 2);
}

/** Serves the page until the command is ended. */
async function serve(
  reader: MonitorReader,
  port: number,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const { TopPage } = await import("../top/web.js");
  const page = await TopPage.open(port);
  output.out(`${page.address}\n`);
  const live: Live = {
    show: (now, before) => page.show({ heading: heading(now), time: now.time, sockets: rowsOf(now, before) }),
    note: (note) => page.show({ note }),
  };
  try {
    await follow(reader, live, signal);
  } finally {
    await page.close();
  }
}

/** Keeps the table on the terminal until the command is ended, or a key ends it. */
async function onTerminal(
  reader: MonitorReader,
  view: View,
  endpoint: string,
  signal: AbortSignal,
): Promise<void> {
  const quit = new AbortController();
  const screen = new Screen(process.stdout, process.stdin, view, `connecting to ${endpoint}`, () =>
    quit.abort(),
  );
  const live: Live = {
    show: (now, before) => screen.show(now, rowsOf(now, before)),
    note: (text) => screen.note(text),
  };
  try {
    await follow(reader, live, AbortSignal.any([signal, quit.signal]));
  } finally {
    screen.close();
  }
}

export const top = command({
  synopsis: "zwire top endpoint [options]",
  about: `Shows the sockets of a process and their peers: messages and bytes a second, what waits, what was dropped.
The process must have a monitor: await openMonitor("ipc:///run/app/zwire"). On a terminal the table is
live: q quits, s sorts by the next column, r turns the order, p shows peers, space pauses. Otherwise it
is printed once.`,
  options: {
    once: { help: "print the table once, also on a terminal" },
    web: { help: "serve a page with live charts on this machine, and print its address" },
    port: { kind: integer(0, 65535, "PORT"), initial: 0, help: "of the page; 0 takes a free one" },
    json: { help: "print it once, as JSON" },
    sort: { kind: oneOf(...COLUMNS), initial: "id", help: "the column to sort by" },
    peers: { short: "p", help: "show each peer below its socket" },
    timeout: { kind: integer(1, 2 ** 31 - 1, "MS"), initial: 5000, help: "how long to wait for the process" },
    "curve-server-key": SECURITY["curve-server-key"],
    "curve-secret-file": { ...SECURITY["curve-secret-file"], help: "CURVE: our secret certificate" },
    "plain-username": SECURITY["plain-username"],
    "plain-password-file": SECURITY["plain-password-file"],
  },
  positionals: { shown: "endpoint", least: 1, most: 1 },
  examples: [
    ["zwire top ipc:///run/app/zwire", "a live table"],
    ["zwire top ipc:///run/app/zwire --web", "a page with charts, on this machine only"],
    ["zwire top ipc:///run/app/zwire --json", "once, for a script"],
    ["zwire top tcp://10.0.0.5:9650 --curve-server-key server.key", "of another machine, over CURVE"],
  ],
  async run({ values, positionals: [endpoint] }, output) {
    const { once, json, web, port, sort, peers, timeout } = values;
    if (web && (once || json)) throw new UsageError("Give --web, or --once or --json.");
    const security = await securityOptions({ ...values, "curve-client-key": [], "plain-server": false });
    const view: View = { sort, peers, reverse: false };
    const ending = new Ending(output);
    const reader = new MonitorReader(endpoint, security);
    try {
      const live = !once && !json && process.stdout.isTTY;
      if (web) await serve(reader, port, output, ending.signal);
      else if (live) await onTerminal(reader, view, endpoint, ending.signal);
      else await printOnce(reader, view, timeout, json, output, ending.signal);
      return EXIT.ok;
    } catch (error) {
      if (!ending.signal.aborted) throw error;
      return ending.exitCode(!web);
    } finally {
      await reader.close();
      ending.release();
    }
  },
});
