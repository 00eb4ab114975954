/**
 * The results as a chart: bench/results/latest.json to latest.svg. Each row as a ratio to zeromq.js in the same run, the
 * spread of its rounds as a line; libzmq from C beside it. Knows nothing of how the figures came about.
 */
import { readFileSync, writeFileSync } from "node:fs";
import * as echarts from "echarts";
import { kinds } from "./kinds.mjs";

const results = new URL("results/", import.meta.url);
const REFERENCE = "zeromq.js";
const ROW_HEIGHT = 26;
const MARGIN = { top: 96, bottom: 64, left: 310, right: 90 };
const WIDTH = 900;
const COLOURS = { zwire: "#2563eb", "libzmq from C": "#94a3b8", spread: "#0f172a" };

/** A row's bars: how many times better than zeromq.js, whichever way its figure counts. */
function entry(row) {
  const better = kinds[row.kind].figure.better;
  const of = (peer) => row.ratios?.find((one) => one.peer === peer);
  const reference = of(REFERENCE);
  // Of the row with many connections only whether it works matters.
  if (reference === undefined || row.kind === "connections") return undefined;
  const flip = ({ ratio, min, max }) =>
    better === "more" ? { ratio, min, max } : { ratio: 1 / ratio, min: 1 / max, max: 1 / min };
  const ours = flip(reference);
  const inC = of("libzmq from C");
  return {
    label: row.title ?? row.id,
    ours,
    libzmq: inC === undefined ? undefined : ours.ratio / flip(inC).ratio,
  };
}

const times = (value) => `${value >= 10 ? value.toFixed(0) : value.toFixed(1)}×`;

/** A line from the lowest to the highest ratio of a row's rounds. */
function spreadLine(_params, api) {
  const at = api.value(0);
  const [from, y] = api.coord([api.value(1), at]);
  const [to] = api.coord([api.value(2), at]);
  return {
    type: "line",
    shape: { x1: from, y1: y - 3, x2: to, y2: y - 3 },
    style: { stroke: COLOURS.spread, lineWidth: 1.5 },
  };
}

function optionOf(document, entries) {
  const { machine, date } = document;
  const subtitle = [
    `${machine.processors} × ${machine.processor}, ${machine.system}, Node ${machine.node}`,
    `zwire ${machine.zwire}, zeromq.js ${machine["zeromq.js"]} (libzmq ${machine.libzmq}), libzmq ${machine["libzmq from C"] ?? "not"} from C`,
    `${date.slice(0, 10)}, ${document.trials} trials of ${document.seconds} s a row, medians of the ratios of a round with their spread`,
  ];
  return {
    animation: false,
    backgroundColor: "#ffffff",
    title: { text: `Times ${REFERENCE} (more is better)`, subtext: subtitle.join("\n"), left: 12, top: 8 },
    legend: { bottom: 8, data: ["zwire", "libzmq from C"] },
    grid: MARGIN,
    xAxis: {
      type: "log",
      min: 0.5,
      axisLabel: { formatter: times },
      splitLine: { lineStyle: { color: "#e2e8f0" } },
    },
    yAxis: {
      type: "category",
      inverse: true,
      data: entries.map(({ label }) => label),
      axisTick: { show: false },
    },
    series: [
      {
        name: "zwire",
        type: "bar",
        barWidth: 9,
        barGap: "20%",
        itemStyle: { color: COLOURS.zwire },
        label: { show: true, formatter: ({ value }) => times(value) },
        // Beside the bar's root: its end is where the spread is.
        data: entries.map(({ ours: { ratio } }) => ({
          value: ratio,
          label: { position: ratio >= 1 ? "left" : "right" },
        })),
      },
      {
        name: "libzmq from C",
        type: "bar",
        barWidth: 5,
        itemStyle: { color: COLOURS["libzmq from C"] },
        data: entries.map(({ libzmq }) => libzmq ?? "-"),
      },
      {
        type: "custom",
        renderItem: spreadLine,
        encode: { x: [1, 2], y: 0 },
        z: 3,
        data: entries.map(({ ours }, at) => [at, ours.min, ours.max]),
      },
    ],
  };
}

/** Draws the chart of a document as run.mjs writes it; answers the SVG. */
export function chartOf(document) {
  const entries = document.rows.map(entry).filter((one) => one !== undefined);
  const height = MARGIN.top + MARGIN.bottom + entries.length * ROW_HEIGHT;
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height });
  chart.setOption(optionOf(document, entries));
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

/** Draws results/latest.svg from results/latest.json. */
export function drawLatest() {
  const document = JSON.parse(readFileSync(new URL("latest.json", results), "utf8"));
  writeFileSync(new URL("latest.svg", results), chartOf(document));
}

if (process.argv[1] === import.meta.filename) drawLatest();
