/**
 * A page of metrics as Prometheus reads it (the text format 0.0.4): one call, for an HTTP server that the program has.
 */
import { coreOf, type Socket } from "../api/socket.js";
import { listedSockets } from "../core/roster.js";
import type { SocketStats } from "../core/stats.js";
import { engine, version } from "../core/version.js";
import { checkOptions } from "./check.js";
import { type Counters, Ledger, type Line, type Read, sum } from "./ledger.js";

/** Options of `prometheusText`. */
export interface PrometheusOptions {
  /** Only these sockets. Default: all sockets of this thread, and what closed ones have counted. */
  readonly sockets?: Iterable<Socket>;
  /** Labels for every line, such as `{ service: "orders" }`. Default none. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** The content type of a page that `prometheusText` makes. */
export const prometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

interface Metric {
  readonly name: string;
  readonly kind: "counter" | "gauge";
  readonly help: string;
  /** Its samples for one type and endpoint. */
  samples(counters: Counters, stats: readonly SocketStats[]): Sample[];
}

function counter(name: string, help: string, of: (counters: Counters) => number): Metric {
  return { name, kind: "counter", help, samples: (counters) => [[{}, of(counters)]] };
}

function gauge(name: string, help: string, of: (stats: SocketStats) => number): Metric {
  return { name, kind: "gauge", help, samples: (_, stats) => [[{}, total(stats, of)]] };
}

/** A gauge for each of some queues. */
function queues(name: string, help: string, of: Record<string, (stats: SocketStats) => number>): Metric {
  const samples = (_: Counters, stats: readonly SocketStats[]): Sample[] =>
    Object.entries(of).map(([queue, read]) => [{ queue }, total(stats, read)]);
  return { name, kind: "gauge", help, samples };
}

function total(stats: readonly SocketStats[], of: (stats: SocketStats) => number): number {
  return stats.reduce((value, one) => value + of(one), 0);
}

const METRICS: readonly Metric[] = [
  gauge("zwire_connections", "Peers whose handshake is complete.", ({ peers }) => peers),
  counter("zwire_messages_sent_total", "Messages that queues of peers accepted.", ({ sent }) => sent),
  counter("zwire_messages_received_total", "Messages given to the application.", ({ received }) => received),
  counter(
    "zwire_messages_dropped_total",
    "Messages, or copies, that were dropped.",
    ({ dropped }) => dropped,
  ),
  counter(
    "zwire_messages_dropped_unread_total",
    "Received messages that were thrown away unread.",
    ({ droppedUnread }) => droppedUnread,
  ),
  counter(
    "zwire_messages_dropped_unsent_total",
    "Accepted messages that were thrown away unsent.",
    ({ droppedUnsent }) => droppedUnsent,
  ),
  counter(
    "zwire_messages_conflated_total",
    "Messages, or copies, whose place a newer one took.",
    ({ conflated }) => conflated,
  ),
  gauge("zwire_last_values", "Topics whose last message is kept for newcomers.", (stats) => stats.lastValues),
  counter(
    "zwire_last_values_evicted_total",
    "Last messages that were dropped because of their limits.",
    ({ lastValuesEvicted }) => lastValuesEvicted,
  ),
  queues("zwire_queue_depth", "Messages that wait: sends for room, outbound for peers, receive to be read.", {
    send: ({ sendQueue }) => sendQueue,
    outbound: ({ outboundQueue }) => outboundQueue,
    receive: ({ receiveQueue }) => receiveQueue,
  }),
  queues("zwire_queue_bytes", "Bytes of messages that wait.", {
    outbound: ({ unsentBytes }) => unsentBytes,
    receive: ({ receivedBytes }) => receivedBytes,
  }),
  gauge("zwire_waiting_receives", "Receives that wait for a message.", (stats) => stats.waitingReceives),
  gauge(
    "zwire_shared_memory_connections",
    "Connections that use shared memory.",
    (stats) => stats.sharedMemory,
  ),
  gauge("zwire_loaned_bytes", "Bytes of loans that are not back.", ({ loanedBytes }) => loanedBytes),
  gauge("zwire_borrowed_bytes", "Bytes of messages that are borrowed.", ({ borrowedBytes }) => borrowedBytes),
  {
    name: "zwire_events_total",
    kind: "counter",
    help: "Events of sockets, by name.",
    samples: ({ events }) => Object.entries(events).map(([event, count]) => [{ event }, count]),
  },
];
const INFO = { name: "zwire_info", kind: "gauge", help: "The version of zwire, and its engine." } as const;
const SOCKETS = { name: "zwire_sockets", kind: "gauge", help: "Open sockets." } as const;
const OPTIONS = ["sockets", "labels"];
/** Labels that metrics have themselves. */
const OWN_LABELS = ["type", "endpoint", "queue", "event", "version", "engine"];

let ledger: Ledger | undefined;

/**
 * The figures of all sockets as a page for Prometheus, to be served with the type `prometheusContentType`. Lines have the
 * labels `type` (such as PUSH) and `endpoint` (the first that the socket was bound or connected to; "other" beyond 200
 * different ones). From the first call on, counters keep what closed sockets have counted.
 * @throws TypeError for an unknown option, for a socket that is none, or for a label whose name is not allowed or whose value is no string
 */
export function prometheusText(options: PrometheusOptions = {}): string {
  checkOptions("prometheusText", options, OPTIONS);
  const labels = checkLabels(options.labels ?? {});
  const chosen = options.sockets === undefined ? null : new Set([...options.sockets].map(witnessOf));
  ledger ??= new Ledger();
  const reads = ledger.read();
  const sums = new Map<Line, Sum>();
  if (chosen === null) for (const line of ledger.lines) sums.set(line, { counters: line.gone, stats: [] });
  const types = new Map<string, number>();
  for (const listed of listedSockets()) {
    if (chosen?.has(listed) === false) continue;
    types.set(listed.type, (types.get(listed.type) ?? 0) + 1);
    const read = reads.get(listed);
    if (read !== undefined) add(sums, read);
  }
  const open = [...types].map(([type, count]): Sample => [{ type, ...labels }, count]);
  return [
    page(INFO, [[{ version, engine: engine(), ...labels }, 1]]),
    page(SOCKETS, open),
    ...METRICS.map((metric) => page(metric, samplesOf(metric, sums, labels))),
  ].join("");
}

/** What the sockets of a line have together. */
interface Sum {
  counters: Counters;
  readonly stats: SocketStats[];
}

function add(sums: Map<Line, Sum>, { line, stats, counters }: Read): void {
  const before = sums.get(line);
  if (before === undefined) sums.set(line, { counters, stats: [stats] });
  else {
    before.counters = sum(before.counters, counters);
    before.stats.push(stats);
  }
}

function samplesOf(metric: Metric, sums: ReadonlyMap<Line, Sum>, labels: Labels): Sample[] {
  return [...sums].flatMap(([{ type, endpoint }, { counters, stats }]) =>
    metric
      .samples(counters, stats)
      .map(([own, value]): Sample => [{ type, endpoint, ...own, ...labels }, value]),
  );
}

function page({ name, kind, help }: Pick<Metric, "name" | "kind" | "help">, samples: Sample[]): string {
  if (samples.length === 0) return "";
  const lines = samples.map(([labels, value]) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    return `${name}{${pairs.join(",")}} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${lines.join("")}`;
}

function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (one) => (one === "\n" ? "\\n" : `\\${one}`));
}

function witnessOf(socket: Socket): unknown {
  if (typeof socket !== "object" || socket === null) {
    throw new TypeError(`sockets must be sockets of zwire; got ${socket === null ? "null" : typeof socket}`);
  }
  return coreOf(socket).events.witness;
}

function checkLabels(labels: Labels): Labels {
  for (const [name, value] of Object.entries(labels)) {
    if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) || name.startsWith("__") || OWN_LABELS.includes(name)) {
      const why = OWN_LABELS.includes(name)
        ? "is one that lines have already"
        : "is not allowed by Prometheus";
      throw new TypeError(`labels: the name ${JSON.stringify(name)} ${why}`);
    }
    if (typeof value !== "string")
      throw new TypeError(`labels.${name} must be a string; got ${typeof value}`);
  }
  return labels;
}
