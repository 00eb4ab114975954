/** The page of `zwire top --web`: its frame, its style, and its program, which puts in text only and never markup. */

export const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>zwire top</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="uplot.css">
<link rel="stylesheet" href="top.css">
<header><h1>zwire top</h1><p id="heading">connecting …</p><p id="note" role="status"></p></header>
<main>
<section class="charts">
<figure><figcaption>Messages a second</figcaption><div id="rates"></div></figure>
<figure><figcaption>Messages that wait</figcaption><div id="queues"></div></figure>
<figure><figcaption>Bytes a second</figcaption><div id="bytes"></div></figure>
</section>
<section class="table"><table><thead><tr></tr></thead><tbody></tbody></table></section>
</main>
<script src="uplot.js"></script>
<script src="top.js"></script>
</html>
`;

export const STYLE = `:root {
  color-scheme: light dark;
  --ink: #1c2530; --soft: #5d6b7a; --line: #dde3ea; --page: #f5f7fa; --card: #fff; --in: #0b7a75; --out: #c2571a; --bad: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6ebf1; --soft: #93a1b0; --line: #2b3643; --page: #12181f; --card: #1a222c; --in: #3cc4bb; --out: #f0965a; --bad: #ff8a80; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
header, main { max-width: 1280px; margin: 0 auto; padding: 16px 20px 0; }
h1 { margin: 0; font-size: 20px; }
header p { margin: 2px 0 0; color: var(--soft); overflow-wrap: anywhere; }
#note { color: var(--bad); min-height: 1.45em; }
.charts { display: grid; gap: 16px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); }
figure { margin: 0; padding: 12px 12px 6px; background: var(--card); border: 1px solid var(--line); border-radius: 8px; min-width: 0; }
figcaption { font-weight: 600; margin-bottom: 4px; }
.u-legend { font-size: 13px; text-align: left; }
.table { margin: 16px 0 24px; background: var(--card); border: 1px solid var(--line); border-radius: 8px; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
.table th, .table td { padding: 7px 10px; text-align: right; white-space: nowrap; }
.table th { color: var(--soft); font-weight: 600; border-bottom: 1px solid var(--line); }
.table th button { all: unset; cursor: pointer; }
.table th button:focus-visible { outline: 2px solid var(--in); }
.table tr.socket td { border-top: 1px solid var(--line); }
.table tr.peer td { color: var(--soft); padding-top: 3px; padding-bottom: 3px; }
.table .left { text-align: left; }
.table td.bad { color: var(--bad); font-weight: 600; }
@media (max-width: 640px) { header, main { padding: 12px 12px 0; } .table th, .table td { padding: 6px 7px; font-size: 13px; } }
`;

export const SCRIPT = `"use strict";
const KEEP = 300;
const COLUMNS = [
  ["id", "ID"], ["type", "Type", "left"], ["endpoint", "Endpoint", "left"], ["peers", "Peers"], ["sent", "Sent/s"], ["received", "Recv/s"],
  ["bytesSent", "B out/s"], ["bytesReceived", "B in/s"], ["out", "Out queue"], ["in", "In queue"], ["dropped", "Drops"],
];
const $ = (selector) => document.querySelector(selector);
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const short = (value) => {
  if (value === null) return "–";
  let unit = 0;
  while (value >= 999.5 && unit < 4) { value /= 1000; unit++; }
  return value.toFixed(unit === 0 || value >= 99.95 ? 0 : 1) + ["", "k", "M", "G", "T"][unit];
};

const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });
const WHOLE = Array.from({ length: 14 }, (_, power) => [1, 2, 5].map((one) => one * 10 ** power)).flat();

function chart(id, names) {
  const element = document.getElementById(id);
  const axis = { stroke: color("--soft"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line"), width: 1 } };
  const series = (label, stroke) => ({ label, stroke, width: 2, points: { show: false }, value: (_, value) => (value == null ? "–" : short(value)) });
  const size = () => ({ width: Math.max(200, element.clientWidth), height: 190 });
  const data = [[], [], []];
  const plot = new uPlot({
    ...size(),
    series: [{ label: "time", value: (_, value) => (value == null ? "–" : clock(value)) }, series(names[0], color("--out")), series(names[1], color("--in"))],
    axes: [{ ...axis, space: 80, values: (_, values) => values.map(clock) }, { ...axis, size: 52, incrs: WHOLE, values: (_, values) => values.map(short) }],
    scales: { y: { range: (_, low, high) => [0, Math.max(1, high == null ? 1 : high * 1.1)] } },
    cursor: { drag: { x: false, y: false } },
  }, data, element);
  new ResizeObserver(() => plot.setSize(size())).observe(element);
  return (time, ...values) => {
    [time, ...values].forEach((value, at) => { data[at].push(value); if (data[at].length > KEEP) data[at].shift(); });
    plot.setData(data);
  };
}

const charts = [
  [chart("rates", ["sent", "received"]), "sent", "received"],
  [chart("queues", ["out", "in"]), "out", "in"],
  [chart("bytes", ["out", "in"]), "bytesSent", "bytesReceived"],
];

let sort = "id", reverse = false, shown = [];
for (const [name, title, left] of COLUMNS) {
  const th = document.createElement("th"), button = document.createElement("button");
  button.textContent = title;
  if (left) th.className = left;
  button.onclick = () => { reverse = sort === name && !reverse; sort = name; draw(); };
  th.append(button);
  $(".table thead tr").append(th);
}

function row(given, kind) {
  const tr = document.createElement("tr");
  tr.className = kind;
  for (const [name, , left] of COLUMNS) {
    const td = document.createElement("td"), value = given[name];
    td.textContent = name === "peers" && value === null ? "" : typeof value === "string" || name === "id" ? value : short(value);
    if (left) td.className = left;
    if (name === "dropped" && value > 0) td.className = "bad";
    tr.append(td);
  }
  return tr;
}

function sorted(rows) {
  const up = ["id", "type", "endpoint"].includes(sort) !== reverse;
  return [...rows].sort((a, b) => {
    const x = a[sort] ?? -1, y = b[sort] ?? -1;
    return x === y ? a.id - b.id : (x < y) === up ? -1 : 1;
  });
}

function draw() {
  $(".table tbody").replaceChildren(...sorted(shown).flatMap((one) => [row(one, "socket"), ...sorted(one.children).map((peer) => row(peer, "peer"))]));
  [...$(".table thead tr").children].forEach((th, at) => th.setAttribute("aria-sort", COLUMNS[at][0] !== sort ? "none" : reverse ? "descending" : "ascending"));
}

const total = (name) => {
  const known = shown.map((one) => one[name]).filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
};
const source = new EventSource("events");
source.onmessage = ({ data }) => {
  const told = JSON.parse(data);
  $("#note").textContent = told.note ?? "";
  if (told.note !== undefined) return;
  $("#heading").textContent = told.heading;
  shown = told.sockets;
  for (const [add, a, b] of charts) add(told.time / 1000, total(a), total(b));
  draw();
};
source.onerror = () => { $("#note").textContent = "zwire top has ended, or cannot be reached."; };
`;
