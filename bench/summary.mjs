/**
 * From trials to figures: medians with their spread, ratios between contenders, and whether the bars are met. Pure.
 */

import { kinds } from "./kinds.mjs";

function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted[sorted.length - 1] };
}

/** Figures of one contender in one row. */
export function summarise(row, contender, trials) {
  const of = (figure) => spread(trials.map(figure));
  const rate = of((trial) => trial.rate);
  const summary = {
    name: contender.name,
    engine: contender.engine,
    send: contender.send,
    receive: contender.receive,
    messagesPerSecond: rate,
    bytesPerSecond: rate.median * row.size * (row.parts ?? 1),
    cpuSecondsPerMillion: of((trial) => trial.cpuPerMillion),
    peakRss: of((trial) => trial.peakRss),
    trials,
  };
  const [first] = trials;
  if (first.timerDelayMs !== undefined) summary.timerDelayMs = of((trial) => trial.timerDelayMs);
  if (row.kind === "calls") summary.busy = [0, 1].map((side) => of((trial) => trial.busy[side]));
  if (row.kind === "fan-out-cpu") summary.publisherCpu = of((trial) => trial.cpuPerMillionBound);
  if (first.bytesPerConnection !== undefined) {
    summary.bytesPerConnection = of((trial) => trial.bytesPerConnection);
  }
  if (first.unanswered !== undefined) summary.unanswered = of((trial) => trial.unanswered);
  if (first.latency !== undefined) {
    summary.latencyUs = {};
    for (const name of ["p50", "p99", "p999"]) summary.latencyUs[name] = of((trial) => trial.latency[name]);
  }
  return summary;
}

/** What a short run on a noisy machine must reach: a regression of half a bar is real. */
function guardOf({ atLeast, atMost, guard }) {
  if (atLeast === undefined) return { atMost: guard ?? atMost * 2 };
  return { atLeast: guard ?? atLeast / 2 };
}

/**
 * Ratios of the first contender, zwire, to each other one, in the figure that counts in a row of its kind. Each round gives
 * one ratio and the median of them counts: a machine changes its mood from minute to minute (waking an idle core may
 * take 15 µs or 60), and the trials of one round mostly see the same.
 * @param guard to the bounds of the guard instead of the bars: half as good
 */
export function compare(row, contenders, guard) {
  const [ours, ...peers] = contenders;
  const measure = kinds[row.kind].figure.of;
  return peers.map((peer) => {
    const ratios = ours.trials.map((trial, round) => measure(trial) / measure(peer.trials[round]));
    const { median: ratio, min, max } = spread(ratios);
    const result = { peer: peer.name, ratio, min, max };
    const bar = row.bars.find((one) => one.peer === peer.name);
    if (bar === undefined) return result;
    const { atLeast, atMost } = guard ? guardOf(bar) : bar;
    const met = atLeast === undefined ? ratio <= atMost : ratio >= atLeast;
    return { ...result, atLeast, atMost, met };
  });
}
