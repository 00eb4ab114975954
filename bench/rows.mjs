/**
 * What is measured: the rows of the table, who runs in each, and the bars. Knows nothing of how it is measured.
 *
 * A contender is a script in peers/ with what it needs to know: `engine` (zwire only), `send` and `receive` name the
 * calls that are used. A bar compares zwire with another contender of its row: `atLeast` for a rate, `atMost` for a
 * latency.
 */

const KIB = 1024;

const zwire = { name: "zwire", script: "zwire", send: "await send", receive: "for await" };
const zeromq = { name: "zeromq.js", script: "zeromq", send: "await send", receive: "for await" };
const echo = { name: "node:net echo", script: "node-net" };
const portable = { ...zwire, name: "zwire portable", engine: "portable" };
const dropIn = { ...zwire, name: "zwire/zeromq", script: "zwire-zeromq" };
/** Many messages for one promise, and a call for each that arrives. */
const batched = { ...zwire, send: "sendMany", receive: 'on("message")' };

/** Calls, and the bare sockets underneath. `echo` of the row's size; the sockets carry as many octets as the calls do. */
const rpc = { name: "zwire/rpc", script: "rpc" };
const python = { name: "zwire/rpc, server in Python", script: "rpc-python" };
const bare = (name) => ({ name, script: "rpc-bare" });

const rate = (peer, atLeast) => ({ peer, atLeast });
const latency = (peer, atMost) => ({ peer, atMost });

export const rows = [
  {
    id: "tcp-16",
    kind: "throughput",
    transport: "tcp",
    size: 16,
    contenders: [zwire, zeromq],
    bars: [rate("zeromq.js", 10)],
  },
  {
    id: "tcp-1k",
    kind: "throughput",
    transport: "tcp",
    size: KIB,
    contenders: [zwire, zeromq],
    bars: [rate("zeromq.js", 5)],
  },
  {
    id: "tcp-64k",
    kind: "throughput",
    transport: "tcp",
    size: 64 * KIB,
    contenders: [zwire, zeromq],
    bars: [rate("zeromq.js", 1.7)],
  },
  { id: "ipc-16", kind: "throughput", transport: "ipc", size: 16, contenders: [zwire, zeromq], bars: [] },
  {
    id: "ipc-64k",
    kind: "throughput",
    transport: "ipc",
    size: 64 * KIB,
    contenders: [zwire, zeromq],
    bars: [rate("zeromq.js", 2)],
  },
  {
    id: "tcp-16-many",
    kind: "throughput",
    transport: "tcp",
    size: 16,
    contenders: [batched, zeromq],
    bars: [],
  },
  {
    id: "req-tcp-16",
    kind: "latency",
    transport: "tcp",
    size: 16,
    contenders: [zwire, zeromq, echo],
    bars: [latency("zeromq.js", 0.6), latency("node:net echo", 1.25)],
  },
  {
    id: "req-ipc-16",
    kind: "latency",
    transport: "ipc",
    size: 16,
    contenders: [zwire, zeromq, echo],
    bars: [latency("zeromq.js", 0.6), latency("node:net echo", 1.25)],
  },
  {
    id: "pub-8-tcp-16",
    kind: "fan-out",
    transport: "tcp",
    size: 16,
    subscribers: 8,
    contenders: [zwire, zeromq],
    bars: [],
  },
  { id: "inproc-16", kind: "inproc", transport: "inproc", size: 16, contenders: [zwire, zeromq], bars: [] },
  {
    id: "threads-16",
    kind: "threads",
    transport: "inproc",
    size: 16,
    contenders: [zwire, zeromq],
    bars: [rate("zeromq.js", 4)],
  },
  {
    id: "drop-in-tcp-16",
    kind: "throughput",
    transport: "tcp",
    size: 16,
    contenders: [dropIn, zeromq],
    bars: [],
  },
  {
    id: "portable-tcp-16",
    kind: "throughput",
    transport: "tcp",
    size: 16,
    contenders: [portable, zeromq],
    bars: [rate("zeromq.js", 6)],
  },
  {
    id: "portable-tcp-1k",
    kind: "throughput",
    transport: "tcp",
    size: KIB,
    contenders: [portable, zeromq],
    bars: [],
  },
  {
    id: "portable-tcp-64k",
    kind: "throughput",
    transport: "tcp",
    size: 64 * KIB,
    contenders: [portable, zeromq],
    bars: [],
  },
  {
    id: "rpc-call",
    kind: "latency",
    transport: "tcp",
    size: 16,
    // Enough for V8 to optimise all of it: a short trial measures the compiler.
    warmup: 10_000,
    contenders: [rpc, bare("REQ/REP")],
    bars: [latency("REQ/REP", 1.6)],
  },
  {
    id: "rpc-64",
    kind: "calls",
    transport: "tcp",
    size: 16,
    inFlight: 64,
    contenders: [rpc, bare("DEALER/ROUTER")],
    bars: [rate("DEALER/ROUTER", 0.4)],
  },
  {
    id: "rpc-python-64",
    kind: "calls",
    transport: "tcp",
    size: 16,
    inFlight: 64,
    contenders: [rpc, python],
    bars: [],
  },
];
