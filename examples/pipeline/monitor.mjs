/**
 * The demo's onlooker: shows the progress that main.mjs publishes, and asks it for its status each second. A terminal
 * gets one line that moves, anything else a line per answer. Ends when main publishes "end".
 *
 * Progress: ["progress", files done, files in all, bytes] · ["end"]. Status: "status" asks for a JSON document.
 */
import { Request, Subscriber } from "zwire";
import { number } from "./table.mjs";

const [progressEndpoint, statusEndpoint] = process.argv.slice(2);
const live = process.stdout.isTTY;

const progress = new Subscriber();
progress.subscribe("progress", "end");
progress.connect(progressEndpoint);
const question = new Request();
question.connect(statusEndpoint);

let workers = "";

/** What each worker has done, in few words. */
function describe(status) {
  const each = status.workers.map((one) => `${one.name} ${number(one.files)}${one.alive ? "" : " (dead)"}`);
  return each.join(", ");
}

async function ask() {
  const [answer] = await question.request("status", { timeout: 5000 });
  const status = JSON.parse(answer.toString());
  workers = describe(status);
  if (live) return;
  console.log(`status: ${number(status.done)} of ${number(status.total)} files, ${workers}`);
}

// The next question waits for the answer to the last one.
let asked = ask();
const asking = setInterval(() => {
  asked = asked.then(ask);
}, 1000);

for await (const [topic, done, total, bytes] of progress) {
  if (topic.toString() === "end") break;
  const percent = Math.floor((100 * Number(done)) / Math.max(1, Number(total)));
  if (live) {
    const line = `${percent} %  ${number(done)} of ${number(total)} files, ${number(bytes)} bytes  [${workers}]`;
    // \x1b[K clears what a longer line before has left.
    process.stdout.write(`\r${line.slice(0, process.stdout.columns - 1)}\x1b[K`);
  }
}

clearInterval(asking);
await asked;
if (live) process.stdout.write("\r\x1b[K");
progress.close();
question.close();
