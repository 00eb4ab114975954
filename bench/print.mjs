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

function figures(row, one) {
  const cpu = `${one.cpuSecondsPerMillion.median.toFixed(2)} CPU s/M`;
  const memory = `${short(one.peakRss.max, "B")} peak`;
  if (row.kind === "latency") {
    const { p50, p99, p999 } = one.latencyUs;
    return [`p50 ${range(p50)} µs`, `p99 ${short(p99.median)}, p99.9 ${short(p999.median)} µs`, cpu, memory];
  }
  if (row.kind === "calls") {
    const [caller, server] = one.busy.map(({ median }) => `${(median * 100).toFixed(0)} %`);
    return [
      `${range(one.messagesPerSecond)} calls/s`,
      `caller ${caller} busy, server ${server}`,
      cpu,
      memory,
    ];
  }
  return [`${range(one.messagesPerSecond)} msg/s`, short(one.bytesPerSecond, "B/s"), cpu, memory];
}

function verdict({ ratio, min, max, atLeast, atMost, met }) {
  const text = `${ratio.toFixed(2)}× (${min.toFixed(2)}–${max.toFixed(2)})`;
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

/** Prints one row of the table. */
export function printRow(row) {
  console.log(
    `\n${row.id}  (${row.kind}, ${row.transport}, ${row.size} octets; load ${row.load.toFixed(1)})`,
  );
  if (row.error !== undefined) {
    console.log(`  FAILED: ${row.error}`);
    return;
  }
  const lines = row.contenders.map((one, at) => {
    const comparison = at === 0 ? undefined : row.ratios[at - 1];
    const how = one.send === undefined || row.kind === "latency" ? "" : `${one.send} / ${one.receive}`;
    const whose = `${row.contenders[0].name} is`;
    return [`  ${one.name}`, how, ...figures(row, one), comparison ? `${whose} ${verdict(comparison)}` : ""];
  });
  for (const line of columns(lines)) console.log(line);
}
