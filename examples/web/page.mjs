/** The page: subscribes to prices, draws them, and sends orders. Its sockets are those of zwire in Node. */
import * as echarts from "/echarts.js";
import { json, Request, Subscriber, text } from "/zwire/web.js";

const KEPT = 300; // prices of one minute
const base = location.origin.replace("http", "ws");
const part = (id) => document.getElementById(id);
const shown = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

const chart = echarts.init(part("chart"));
addEventListener("resize", () => chart.resize());

/** By name: the row of the table, and [time, price] of the last minute. */
const things = new Map();
let chosen;

function choose(name) {
  chosen = name;
  part("name").value = name;
  for (const [one, { row }] of things) row.classList.toggle("chosen", one === name);
  draw();
}

function thing(name) {
  const known = things.get(name);
  if (known !== undefined) return known;
  const row = part("prices").insertRow();
  const cells = ["name", "price", "change"].map(() => row.insertCell());
  cells[0].textContent = name;
  row.onclick = () => choose(name);
  part("name").add(new Option(name));
  const made = { row, cells, points: [] };
  things.set(name, made);
  if (chosen === undefined) choose(name);
  return made;
}

function draw() {
  chart.setOption({
    animation: false,
    grid: { left: 8, right: 8, top: 28, bottom: 8, containLabel: true },
    title: { text: chosen, textStyle: { fontSize: 14, color: "#888" } },
    xAxis: { type: "time", splitLine: { show: false }, axisLabel: { hideOverlap: true } },
    yAxis: { type: "value", scale: true, splitLine: { lineStyle: { color: "#8884" } } },
    series: [
      {
        type: "line",
        showSymbol: false,
        areaStyle: { opacity: 0.15 },
        data: things.get(chosen)?.points ?? [],
      },
    ],
  });
}

function show(name, { price, time }) {
  const { cells, points } = thing(name);
  points.push([time * 1000, price]);
  if (points.length > KEPT) points.shift();
  const change = (price / points[0][1] - 1) * 100;
  cells[1].textContent = shown.format(price);
  cells[2].textContent = `${change < 0 ? "−" : "+"}${shown.format(Math.abs(change))} %`;
  cells[2].className = change < 0 ? "down" : "up";
  if (name === chosen) draw();
}

const prices = new Subscriber();
const tell = (state, up) => {
  part("state").textContent = state;
  part("state").classList.toggle("up", up);
};
prices.on("handshake", () => tell("live", true));
prices.on("disconnect", () => tell("connecting again", false));
prices.subscribe();
prices.connect(`${base}/prices`);

/** An order that nobody answers within five seconds fails, and the next one can be sent. */
const orders = new Request({ receiveTimeout: 5000, relaxed: true, correlate: true });
orders.connect(`${base}/orders`);

part("order").onsubmit = async (event) => {
  event.preventDefault();
  const line = document.createElement("li");
  const order = { name: part("name").value, quantity: part("quantity").valueAsNumber };
  line.textContent = `buying ${order.quantity} ${order.name} …`;
  part("orders").prepend(line);
  try {
    const [answer] = await orders.request(JSON.stringify(order));
    const { error, total, price } = json(answer);
    line.textContent =
      error ?? `bought ${order.quantity} ${order.name} at ${shown.format(price)} for ${shown.format(total)}`;
  } catch (error) {
    line.textContent = `not bought: ${error.message}`;
  }
};

for await (const [name, tick] of prices) show(text(name), json(tick));
