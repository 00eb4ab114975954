/** The results as text. Knows nothing of how they came about. */

/** Three significant digits with a unit prefix: 4210000 → "4.21 M". */
function short(value, unit = "") {
  const prefixes = [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
    [1, ""],
  ];
  const [divisor, prefix] = prefixes.find(([size]) => Math.abs(value) >= size) ?? [1, ""];
  const suffix = `${prefix}${unit}`;
  return `${Number((value / divisor).toPrecision(3))}${suffix && ` ${suffix}`}`;
}

const range = ({ median, min, max }, unit) => `${short(median, unit)} (${short(min)}–${short(max)})`;

function figures(one) {
  const cpu = `${one.cpuSecondsPerMillion.median.toFixed(2)} CPU s/M`;
  const memory = `${short(one.peakRss.max, "B")} peak`;
  const timers = one.timerDelayMs === undefined ? "" : `timers ≤ ${short(one.timerDelayMs.max)} ms late`;
  if (one.bytesPerConnection !== undefined)
    return [`${range(one.bytesPerConnection, "B")} a connection`, memory];
  if (one.latencyUs !== undefined) {
    const { p50, p99, p999 } = one.latencyUs;
    const lost = one.unanswered === undefined ? "" : `, ${one.unanswered.max} unanswered`;
    const tail = `p99 ${short(p99.median)}, p99.9 ${short(p999.median)} µs${lost}`;
    return [`p50 ${range(p50)} µs`, tail, cpu, memory, timers];
  }
  const processor = one.publisherCpu === undefined ? cpu : `publisher ${range(one.publisherCpu)} CPU s/M`;
  if (one.busy !== undefined) {
    const [server, caller] = one.busy.map(({ median }) => `${(median * 100).toFixed(0)} %`);
    const sides = `caller ${caller} busy, server ${server}`;
    return [`${range(one.messagesPerSecond)} calls/s`, sides, processor, memory, timers];
  }
  const octets = short(one.bytesPerSecond, "B/s");
  return [`${range(one.messagesPerSecond)} msg/s`, octets, processor, memory, timers];
}

/** Two decimals; of a small ratio two digits, as beside a peer that copies nothing. */
const times = (ratio) => (ratio < 0.1 ? String(Number(ratio.toPrecision(2))) : ratio.toFixed(2));

function verdict({ ratio, min, max, atLeast, atMost, met }) {
  const text = `${times(ratio)}× (${times(min)}–${times(max)})`;
  if (met === undefined) return text;
  const bar = atLeast === undefined ? `≤ ${atMost}×` : `≥ ${atLeast}×`;
  return `${text}, bar ${bar}: ${met ? "met" : "MISSED"}`;
}

function columns(lines) {
  const widths = [];
  for (const line of lines) {
    for (const [at, cell] of line.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  }
  return lines.map((line) =>
    line
      .map((cell, at) => cell.padEnd(widths[at]))
      .join("  ")
      .trimEnd(),
  );
}

/** Rows in which contenders differ in how they send and receive. */
const HOW = new Set(["throughput", "inproc", "threads", "fan-out"]);

/** Prints one row of the table. */
export function printRow(row) {
  console.log(
    `\n${row.id}  (${row.kind}, ${row.transport}, ${row.size} octets${row.parts ? ` × ${row.parts}` : ""}; load ${row.load.toFixed(1)})`,
  );
  if (row.error !== undefined) {
    console.log(`  FAILED: ${row.error}`);
    return;
  }
  const lines = row.contenders.map((one, at) => {
    const comparison = at === 0 ? undefined : row.ratios[at - 1];
    const how = HOW.has(row.kind) ? `${one.send} / ${one.receive}` : "";
    const whose = `${row.contenders[0].name} is`;
    return [`  ${one.name}`, how, comparison ? `${whose} ${verdict(comparison)}` : "", ...figures(one)];
  });
  for (const line of columns(lines)) console.log(line);
}
