/**
 * What is measured: the rows of the table, who runs in each, and the bars. Knows nothing of how it is measured.
 *
 * A contender is a script in peers/ with what it needs to know: `engine` (zwire only), `send` and `receive` name the
 * calls that are used (workload.mjs has them), `options` are for its sockets (C programs know `spinMicroseconds`), and
 * `dialler` replaces any of these on the side that dials. A bar compares zwire with another contender of its row:
 * `atLeast` where more is better, `atMost` where less is (kinds.mjs says which figure counts). `guard` is what the guard
 * holds such a row to, where half of its bar is out of reach: docs/performance.md says why.
 * `curve` secures the row with CURVE, the server's role on the side that binds.
 */

const KIB = 1024;

const zwire = { name: "zwire", script: "zwire", send: "await send", receive: "for await" };
const zeromq = { name: "zeromq.js", script: "zeromq", send: "await send", receive: "for await" };
const echo = { name: "node:net echo", script: "node-net" };
const libzmq = { name: "libzmq from C", script: "c/libzmq", send: "zmq_msg_send", receive: "zmq_msg_recv" };
const kernel = { name: "kernel", script: "c/kernel", send: "write", receive: "read" };
/** Shared memory from C: what is left to be had over ipc, with two copies and without any. */
const ring = { name: "ring", script: "c/ring", send: "copy in", receive: "copy out" };
const loan = { name: "loan", script: "c/loan", send: "lend", receive: "look, give back" };
/** The package ws: with a write for each message, as it is meant, and with one for many. */
const ws = { name: "ws", script: "ws", send: "send", receive: 'on("message")' };
const corked = { ...ws, name: "ws, corked", send: "send, corked" };
/** Who sends is ws itself, as fast as it can: what counts is the receiving side. */
const fromWs = (one) => ({ ...one, dialler: { script: "ws", send: "send, corked" } });
const spinning = (one) => ({
  ...one,
  name: `${one.name}, spinning 50 µs`,
  options: { ...one.options, spinMicroseconds: 50 },
});
/** TLS by itself, written as well as one can: what zwire adds to it is its own. */
const nodeTls = { name: "node:tls", script: "node-tls", send: "write, corked", receive: "a call each" };
const portable = { ...zwire, name: "zwire portable", engine: "portable" };
/** Large parts in memory that is used again. */
const borrowing = { ...zwire, receive: "borrowed" };
/**
 * Parts that lie in memory which both processes map. A trial has few of them, and V8 has not compiled what they need after
 * a quarter.
 */
const lending = { ...zwire, send: "loan", receive: "borrowed", warmup: 20_000 };
const dropIn = { ...zwire, name: "zwire/zeromq", script: "zwire-zeromq" };
/** Many messages for one promise, and a call for each that arrives. */
const batched = { ...zwire, send: "sendMany", receive: 'on("message")' };

const rawClients = (one) => ({ ...one, dialler: { script: "raw-zmtp" } });
const cSubscribers = (one) => ({ ...one, dialler: { script: "c/libzmq" } });

const atLeast = (ratio, peer = "zeromq.js") => ({ peer, atLeast: ratio });
const atMost = (ratio, peer = "zeromq.js") => ({ peer, atMost: ratio });
const C = "libzmq from C";

const SIZES = { 16: "16 B", 1024: "1 KiB", 65536: "64 KiB", 1048576: "1 MiB" };

const throughput = (id, transport, size, contenders, bars, more) => ({
  id,
  title: `PUSH→PULL ${transport} ${SIZES[size]}`,
  kind: "throughput",
  transport,
  size,
  contenders,
  bars,
  ...more,
});
const roundTrip = (id, transport, more = []) => ({
  id,
  title: `REQ/REP p50 ${transport} 16 B`,
  kind: "latency",
  transport,
  size: 16,
  contenders: [zwire, zeromq, libzmq, echo, ...more],
  bars: [{ ...atMost(0.5), guard: 2 }, atMost(0.75, C), atMost(1.1, "node:net echo")],
});

const secured = (title) => ({ curve: true, title: `${title}, CURVE` });

/** Calls, and the bare sockets underneath. `echo` of the row's size; the sockets carry as many bytes as the calls do. */
const rpc = { name: "zwire/rpc", script: "rpc" };
const python = { name: "zwire/rpc, server in Python", script: "rpc-python" };
const bare = (name) => ({ name, script: "rpc-bare" });

export const rows = [
  throughput("tcp-16", "tcp", 16, [zwire, zeromq, libzmq], [atLeast(15), atLeast(0.9, C)]),
  throughput("tcp-16-many", "tcp", 16, [batched, zeromq, libzmq], [atLeast(25), atLeast(1.4, C)], {
    title: "PUSH→PULL tcp 16 B, many at once",
  }),
  throughput("tcp-16x4", "tcp", 16, [zwire, zeromq, libzmq], [atLeast(10), atLeast(0.7, C)], {
    parts: 4,
    title: "PUSH→PULL tcp 4 × 16 B",
  }),
  throughput("tcp-1k", "tcp", KIB, [zwire, zeromq, libzmq, portable], [atLeast(8), atLeast(2.5, C)]),
  throughput(
    "tcp-64k",
    "tcp",
    64 * KIB,
    [zwire, zeromq, libzmq, kernel, portable],
    [{ ...atLeast(2), guard: 0.7 }, atLeast(1.6, C)],
  ),
  throughput("ipc-16", "ipc", 16, [zwire, zeromq, libzmq, ring, loan], [atLeast(15), atLeast(0.9, C)]),
  throughput("ipc-16-many", "ipc", 16, [batched, zeromq, libzmq, ring], [], {
    title: "PUSH→PULL ipc 16 B, many at once",
  }),
  throughput("ipc-1k", "ipc", KIB, [zwire, zeromq, libzmq, kernel, ring, loan], []),
  throughput(
    "ipc-64k",
    "ipc",
    64 * KIB,
    [zwire, zeromq, libzmq, kernel, ring, loan],
    [{ ...atLeast(3), guard: 0.8 }, atLeast(2.5, C)],
  ),
  throughput(
    "ipc-1m",
    "ipc",
    KIB * KIB,
    [zwire, zeromq, libzmq, kernel, ring, loan],
    [{ ...atLeast(2.5), guard: 0.7 }, atLeast(2, C)],
  ),
  throughput("tls-1k", "tls+tcp", KIB, [zwire, nodeTls], [atLeast(0.9, "node:tls")]),
  throughput("tls-1k-many", "tls+tcp", KIB, [batched, nodeTls], [atLeast(0.9, "node:tls")], {
    title: "PUSH→PULL tls+tcp 1 KiB, many at once",
  }),
  throughput("tls-64k", "tls+tcp", 64 * KIB, [zwire, nodeTls], [atLeast(0.9, "node:tls")]),
  throughput(
    "ipc-64k-borrow",
    "ipc",
    64 * KIB,
    [borrowing, zeromq, kernel, ring],
    [
      { ...atLeast(3.5), guard: 1 },
      { ...atLeast(1.8, "kernel"), guard: 0.5 },
    ],
    { title: "PUSH→PULL ipc 64 KiB, borrowed" },
  ),
  throughput("tcp-64k-borrow", "tcp", 64 * KIB, [borrowing, zeromq, kernel], [], {
    title: "PUSH→PULL tcp 64 KiB, borrowed",
  }),
  throughput(
    "ipc-1m-loan",
    "ipc",
    KIB * KIB,
    [lending, zeromq, kernel, loan],
    [
      { ...atLeast(100), guard: 8 },
      { ...atLeast(30, "kernel"), guard: 0.3 },
    ],
    { title: "PUSH→PULL ipc 1 MiB, loan to borrow" },
  ),
  {
    id: "inproc-16",
    title: "PUSH→PULL inproc 16 B",
    kind: "inproc",
    transport: "inproc",
    size: 16,
    contenders: [zwire, zeromq],
    bars: [atLeast(12)],
  },
  {
    id: "threads-16",
    title: "PUSH→PULL inproc 16 B, two threads",
    kind: "threads",
    transport: "inproc",
    size: 16,
    contenders: [zwire, zeromq],
    bars: [atLeast(4)],
  },
  roundTrip("req-tcp-16", "tcp"),
  roundTrip("req-ipc-16", "ipc", [ring, loan]),
  {
    ...roundTrip("req-ipc-16-spin", "ipc"),
    title: "REQ/REP p50 ipc 16 B, spinning",
    contenders: [spinning(zwire), zeromq, echo, spinning(ring)],
    bars: [],
  },
  {
    id: "pub-32-tcp-16",
    title: "PUB→32 SUB tcp 16 B",
    kind: "fan-out",
    transport: "tcp",
    size: 16,
    subscribers: 32,
    contenders: [zwire, zeromq, libzmq],
    bars: [atLeast(8)],
  },
  {
    id: "pub-32-cpu",
    title: "PUB→32 SUB in C: publisher's CPU",
    kind: "fan-out-cpu",
    transport: "tcp",
    size: 16,
    subscribers: 32,
    contenders: [zwire, libzmq].map(cSubscribers),
    bars: [atMost(0.7, C)],
  },
  {
    id: "topics-32-tcp-16",
    title: "PUB, 10,000 topics→32 SUB tcp 16 B",
    kind: "fan-out",
    transport: "tcp",
    size: 16,
    subscribers: 32,
    topics: 10_000,
    contenders: [zwire, zeromq, libzmq],
    // On slow days it reaches 2.3 to 3.4.
    bars: [{ ...atLeast(5), guard: 1.5 }],
  },
  {
    id: "pub-8-ipc-1m",
    title: "PUB→8 SUB ipc 1 MiB",
    kind: "fan-out",
    transport: "ipc",
    size: KIB * KIB,
    subscribers: 8,
    contenders: [zwire, zeromq, libzmq, loan],
    bars: [],
  },
  {
    id: "pub-8-ipc-1m-loan",
    title: "PUB→8 SUB ipc 1 MiB, loaned",
    kind: "fan-out",
    transport: "ipc",
    size: KIB * KIB,
    subscribers: 8,
    contenders: [lending, zeromq, loan],
    bars: [{ ...atLeast(50), guard: 12 }],
  },
  {
    id: "clients-1000",
    title: "1,000 DEALER↔ROUTER tcp 16 B",
    kind: "clients",
    transport: "tcp",
    size: 16,
    clients: 1000,
    contenders: [zwire, zeromq, kernel],
    bars: [{ ...atLeast(4), guard: 0.6 }],
  },
  {
    id: "memory-idle",
    title: "memory per idle connection",
    kind: "memory",
    transport: "tcp",
    size: 16,
    connections: 5000,
    contenders: [zwire, portable, zeromq].map(rawClients),
    bars: [atMost(0.25)],
  },
  {
    id: "memory-idle-ipc",
    title: "memory per idle connection, ipc",
    kind: "memory",
    transport: "ipc",
    size: 16,
    connections: 5000,
    contenders: [zwire, portable, zeromq].map(rawClients),
    bars: [atMost(0.25)],
  },
  {
    id: "connections-10k",
    title: "10,000 connections, each once a second",
    kind: "connections",
    transport: "tcp",
    size: 16,
    connections: 10_000,
    contenders: [zwire, zeromq].map(rawClients),
    bars: [],
  },
  throughput("ws-16", "ws", 16, [zwire, zeromq, ws, corked], [atLeast(5), atLeast(2, "ws, corked")]),
  throughput("ws-1k", "ws", KIB, [zwire, zeromq, ws, corked], [atLeast(2), atLeast(1.5, "ws, corked")]),
  throughput("ws-64k", "ws", 64 * KIB, [zwire, zeromq, ws, corked], [atLeast(0.9, "ws, corked")]),
  throughput("ws-receive-16", "ws", 16, [zwire, corked].map(fromWs), [atLeast(1, "ws, corked")], {
    title: "ws→PULL ws 16 B",
  }),
  throughput("drop-in-tcp-16", "tcp", 16, [dropIn, zeromq], [], {
    title: "PUSH→PULL tcp 16 B, zwire/zeromq",
  }),
  throughput("portable-tcp-16", "tcp", 16, [portable, zeromq], [atLeast(9)], {
    title: "PUSH→PULL tcp 16 B, portable engine",
  }),
  throughput("portable-tcp-1k", "tcp", KIB, [portable, zeromq], [atLeast(3)], {
    title: "PUSH→PULL tcp 1 KiB, portable engine",
  }),
  throughput("portable-tcp-64k", "tcp", 64 * KIB, [portable, zeromq], [{ ...atLeast(1.2), guard: 0.25 }], {
    title: "PUSH→PULL tcp 64 KiB, portable engine",
  }),
  throughput("curve-tcp-16", "tcp", 16, [zwire, zeromq], [atLeast(3)], secured("PUSH→PULL tcp 16 B")),
  throughput("curve-tcp-1k", "tcp", KIB, [zwire, zeromq], [atLeast(2)], secured("PUSH→PULL tcp 1 KiB")),
  throughput(
    "curve-tcp-64k",
    "tcp",
    64 * KIB,
    [zwire, zeromq],
    [atLeast(1.2)],
    secured("PUSH→PULL tcp 64 KiB"),
  ),
  throughput(
    "portable-curve-tcp-16",
    "tcp",
    16,
    [portable, zeromq],
    [],
    secured("PUSH→PULL tcp 16 B, portable engine"),
  ),
  throughput(
    "portable-curve-tcp-1k",
    "tcp",
    KIB,
    [portable, zeromq],
    [],
    secured("PUSH→PULL tcp 1 KiB, portable engine"),
  ),
  throughput(
    "portable-curve-tcp-64k",
    "tcp",
    64 * KIB,
    [portable, zeromq],
    [],
    secured("PUSH→PULL tcp 64 KiB, portable engine"),
  ),
  {
    ...roundTrip("req-curve-tcp-16", "tcp"),
    contenders: [zwire, zeromq],
    bars: [],
    ...secured("REQ/REP p50 tcp 16 B"),
  },
  {
    id: "rpc-call",
    title: "rpc call p50 tcp 16 B",
    kind: "latency",
    transport: "tcp",
    size: 16,
    // Enough for V8 to optimise all of it: a short trial measures the compiler.
    warmup: 10_000,
    contenders: [rpc, bare("REQ/REP")],
    bars: [atMost(1.6, "REQ/REP")],
  },
  {
    id: "rpc-64",
    title: "rpc, 64 calls in flight",
    kind: "calls",
    transport: "tcp",
    size: 16,
    inFlight: 64,
    contenders: [rpc, bare("DEALER/ROUTER")],
    bars: [atLeast(0.4, "DEALER/ROUTER")],
  },
  {
    id: "rpc-python-64",
    title: "rpc to Python, 64 calls in flight",
    kind: "calls",
    transport: "tcp",
    size: 16,
    inFlight: 64,
    contenders: [rpc, python],
    bars: [],
  },
];
