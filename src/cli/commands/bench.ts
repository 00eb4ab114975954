/** `zwire bench`: how many messages pass between two machines, and how long a round trip takes. */
import { Pair, Pull, Push, Reply, Request } from "../../index.js";
import { type Asking, ask } from "../bench/ask.js";
import { LARGEST, MOST, type Test } from "../bench/control.js";
import {
  localLatency,
  localThroughput,
  type Plain,
  remoteLatency,
  remoteThroughput,
} from "../bench/libzmq.js";
import { describe, type Report } from "../bench/report.js";
import { serveClient } from "../bench/serve.js";
import { command, type Output } from "../command.js";
import { Ended, Ending } from "../ending.js";
import { EXIT, UsageError } from "../errors.js";
import { attach, attaching } from "../messages/attach.js";
import { milliseconds } from "../messages/options.js";
import { plain } from "../messages/plug.js";
import { Progress } from "../messages/progress.js";
import { integer, type Values } from "../options.js";

const DEFAULTS = {
  throughput: { size: 1024, count: 1_000_000, warmup: 10_000 },
  latency: { size: 64, count: 10_000, warmup: 1000 },
} as const;
const TIMEOUT_MS = 10_000;

const OPTIONS = {
  ...attaching("PAIR"),
  size: {
    kind: integer(0, LARGEST, "BYTES"),
    short: "s",
    help: `bytes of a message; default ${DEFAULTS.throughput.size} of a throughput test and ${DEFAULTS.latency.size} of a latency test`,
  },
  count: {
    kind: integer(1, MOST),
    short: "n",
    help: `messages, or round trips; default ${DEFAULTS.throughput.count} and ${DEFAULTS.latency.count}. Of serve without --libzmq: end after so many tests`,
  },
  warmup: {
    kind: integer(1, MOST),
    help: `messages, or round trips, before the time begins; default ${DEFAULTS.throughput.warmup} and ${DEFAULTS.latency.warmup}. Not with --libzmq`,
  },
  libzmq: { help: "the other side is a tool of libzmq: local_thr, remote_thr, local_lat or remote_lat" },
  timeout: {
    kind: milliseconds,
    short: "t",
    help: `how long to wait for the other side, before it ends with code 3; default ${TIMEOUT_MS}, and for ever of serve`,
  },
  json: { help: "print the result as a line of JSON" },
  quiet: { short: "q", help: "show no progress" },
} as const;

type Given = Values<typeof OPTIONS>;

interface Bench {
  readonly values: Given;
  readonly output: Output;
  readonly ending: Ending;
  readonly progress: Progress;
}

function testOf(name: string): Test {
  if (name === "throughput" || name === "latency") return name;
  throw new UsageError(`The test must be throughput or latency; got "${name}".`);
}

/** A socket that is bound and connected, and its class. */
async function open<S extends Pair | Push | Pull | Reply | Request>(
  make: new (options: Record<string, unknown>) => S,
  type: "PAIR" | "PUSH" | "PULL" | "REP" | "REQ",
  { values, output }: Bench,
): Promise<S> {
  const plug = await attach("bench", type, values, (options) => plain(new make(options)), output);
  return plug.socket as S;
}

const endpointOf = ({ bind, connect }: Given): string => [...bind, ...connect].join(", ");

/** Serves clients until a signal ends it, or there were `--count` tests. */
async function serve(bench: Bench, show: (report: Report) => void): Promise<void> {
  const { values, output, ending, progress } = bench;
  const serving = { output, signal: ending.signal, progress, report: show };
  // Its port stays what it was, although each client gets a new socket.
  let bound: readonly string[] = values.bind;
  const anew = async (): Promise<Pair> => {
    const socket = await open(Pair, "PAIR", { ...bench, values: { ...values, bind: bound } });
    if (values.bind.length === 1) bound = [socket.lastEndpoint as string];
    return socket;
  };
  for (let left = values.count ?? Infinity; left > 0; ) left -= await serveClient(anew, left, serving);
}

/** One side of what a tool of libzmq does. */
async function asLibzmq(bench: Bench, test: Test, serves: boolean): Promise<Report> {
  const { values, ending, progress } = bench;
  const { size, count } = { ...DEFAULTS[test], ...given(values) };
  if (values.warmup !== undefined) throw new UsageError("A tool of libzmq knows no --warmup.");
  if (test === "throughput" && count < 2)
    throw new UsageError("A throughput test needs two messages at least.");
  const timeout = values.timeout ?? (serves ? -1 : TIMEOUT_MS);
  const how: Plain = { endpoint: endpointOf(values), size, count, timeout, signal: ending.signal, progress };
  const run = async <S extends Push | Pull | Reply | Request>(
    socket: S,
    work: (socket: S, how: Plain) => Promise<Report>,
  ): Promise<Report> => {
    try {
      return await work(socket, how);
    } finally {
      await socket.close({ linger: 0 });
    }
  };
  if (test === "throughput") {
    return serves
      ? run(await open(Pull, "PULL", bench), localThroughput)
      : run(await open(Push, "PUSH", bench), remoteThroughput);
  }
  return serves
    ? run(await open(Reply, "REP", bench), localLatency)
    : run(await open(Request, "REQ", bench), remoteLatency);
}

/** What the command line says of a test; the defaults depend on the test. */
function given({ size, count, warmup }: Given) {
  return {
    ...(size !== undefined && { size }),
    ...(count !== undefined && { count }),
    ...(warmup !== undefined && { warmup }),
  };
}

async function askServer(bench: Bench, test: Test): Promise<Report> {
  const { values, ending, progress } = bench;
  const asking: Asking = {
    test,
    endpoint: endpointOf(values),
    ...DEFAULTS[test],
    ...given(values),
    timeout: values.timeout ?? TIMEOUT_MS,
    signal: ending.signal,
    progress,
  };
  const socket = await open(Pair, "PAIR", bench);
  try {
    return await ask(socket, asking);
  } finally {
    await socket.close({ linger: 0 });
  }
}

async function carryOut(bench: Bench, role: string, name: string | undefined): Promise<void> {
  const { values, output } = bench;
  if (values.bind.length + values.connect.length > 1) throw new UsageError("A test has one endpoint.");
  const show = (report: Report): void =>
    output.out(values.json ? `${JSON.stringify(report)}\n` : describe(report));
  if (role !== "serve") {
    if (name !== undefined) throw new UsageError(`"${name}" is too much: only serve names a test behind it.`);
    const test = testOf(role);
    show(values.libzmq ? await asLibzmq(bench, test, false) : await askServer(bench, test));
    return;
  }
  if (!values.libzmq) {
    if (name !== undefined || values.size !== undefined || values.warmup !== undefined)
      throw new UsageError("The other side says which test it wants, and its --size and --warmup.");
    return serve(bench, show);
  }
  if (name === undefined)
    throw new UsageError("Say which test a tool of libzmq makes: throughput or latency.");
  show(await asLibzmq(bench, testOf(name), true));
}

export const bench = command({
  synopsis: `zwire bench serve [options]
zwire bench throughput|latency [options]
zwire bench serve throughput|latency --libzmq [options]`,
  about: `Tests what two machines can do. On one, zwire bench serve --bind waits; on the other, zwire bench throughput --connect counts
how many messages a second arrive there, or zwire bench latency --connect measures round trips. Both sides tell their processor time.
With --libzmq the other side is local_thr or local_lat of libzmq (or, of serve, remote_thr or remote_lat), which must be given the
same size and count.`,
  options: OPTIONS,
  positionals: { shown: "argument", least: 1, most: 2 },
  examples: [
    ["zwire bench serve --bind 'tcp://*:5555'", "on one machine"],
    [
      "zwire bench throughput --connect tcp://host:5555 --size 1024 --count 1000000",
      "on the other: messages a second",
    ],
    ["zwire bench latency --connect tcp://host:5555 --json", "round trips, as JSON"],
    [
      "zwire bench throughput --libzmq --connect tcp://host:5555 --size 1024 --count 1000000",
      "sends to local_thr tcp://*:5555 1024 1000000",
    ],
  ],
  async run({ values, positionals: [role, name] }, output: Output) {
    const ending = new Ending(output);
    const progress = new Progress(!values.quiet);
    try {
      await carryOut({ values, output, ending, progress }, role, name);
      return EXIT.ok;
    } catch (error) {
      if (!(error instanceof Ended)) throw error;
      return ending.exitCode(role !== "serve" || values.libzmq || values.count !== undefined);
    } finally {
      progress.end();
      ending.release();
    }
  },
});
