/**
 * The kinds of rows: which roles a trial has, who holds the clock, what the parent does meanwhile, and which figure
 * counts. Knows no library and no processes beyond `says` and `tell` of a side.
 */

/** More messages per second is better. */
const rate = { name: "messages/s", better: "more", of: (trial) => trial.rate };
/** Less round-trip time is better. */
const roundTrip = { name: "p50", better: "less", of: (trial) => trial.latency.p50 };
/** Less processor time of the publisher is better. */
const publisherCpu = { name: "publisher's CPU s/M", better: "less", of: (trial) => trial.cpuPerMillionBound };
/** Less memory is better. */
const perConnection = { name: "B/connection", better: "less", of: (trial) => trial.bytesPerConnection };

async function startWhenSubscribed(bound, dialled) {
  await dialled.says("subscribed");
  bound.tell("go");
}

/** A few connections first, so that what the first ones load and allocate is not counted. */
async function weighConnections(bound, dialled) {
  await dialled.says("warm");
  bound.tell("weigh");
  await bound.says("weighed");
  dialled.tell("go");
  await dialled.says("connected");
}

/**
 * `binds` and `dials` name the roles of peers/workload.mjs; a kind without `dials` has one process.
 * `counts` are fixed where the row says how much there is to do; elsewhere trials are made as long as asked for.
 * `trials` limits how many of them there are.
 */
export const kinds = {
  throughput: { binds: "receive", dials: "send", clock: "binds", figure: rate },
  "fan-out": {
    binds: "publish",
    dials: "subscribe",
    clock: "dials",
    figure: rate,
    prepare: startWhenSubscribed,
  },
  "fan-out-cpu": {
    binds: "publish",
    dials: "subscribe",
    clock: "dials",
    figure: publisherCpu,
    prepare: startWhenSubscribed,
  },
  latency: { binds: "reply", dials: "request", clock: "dials", figure: roundTrip },
  calls: { binds: "serve", dials: "call", clock: "dials", figure: rate },
  clients: { binds: "route", dials: "clients", clock: "dials", figure: rate },
  memory: {
    binds: "hold",
    dials: "connect",
    clock: "binds",
    figure: perConnection,
    counts: ({ connections }) => ({ warmup: 0, count: connections }),
    trials: 5,
    prepare: weighConnections,
  },
  connections: {
    binds: "route",
    dials: "once-a-second",
    clock: "dials",
    figure: roundTrip,
    counts: ({ connections }) => ({ warmup: 0, count: connections * 5 }),
    trials: 3,
  },
  inproc: { binds: "both", clock: "binds", figure: rate },
  threads: { binds: "threads", clock: "binds", figure: rate },
};
