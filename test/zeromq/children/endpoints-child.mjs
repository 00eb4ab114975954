/** Ends endpoints by either call, and prints what happened. Arguments: library, scheme. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { load } from "./libraries.mjs";

const [library, scheme] = process.argv.slice(2);
const { Dealer, Pair } = (await load(library, false)).zmq;
const folder = mkdtempSync(join(tmpdir(), "zwire-endpoints-"));
process.on("exit", () => rmSync(folder, { recursive: true }));
let names = 0;

/** An endpoint that nobody has. */
async function fresh() {
  if (scheme === "inproc") return `inproc://name-${names++}`;
  if (scheme === "ipc") return `ipc://${join(folder, `${names++}`)}`;
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `${scheme}://127.0.0.1:${port}${scheme === "ws" ? "/" : ""}`;
}

/** Of the steps, what each does; the endpoint itself is left out of it. */
async function ask(title, steps) {
  const endpoint = await fresh();
  const socket = new Dealer({ linger: 0 });
  const said = [];
  for (const step of steps) {
    try {
      await socket[step](endpoint);
      said.push("done");
    } catch (error) {
      said.push(`${error.code} ${error.message} ${error.address === endpoint}`);
    }
  }
  socket.close();
  console.log(`${title}: ${said.slice(1).join(", ")}`);
}

await ask("unbind of a connected one", ["connect", "unbind", "unbind"]);
await ask("disconnect of a bound one", ["bind", "disconnect", "disconnect"]);
await ask("unbind of a bound one", ["bind", "unbind", "disconnect"]);
await ask("disconnect of a connected one", ["connect", "disconnect", "unbind"]);
await ask("of what never was", ["bind", "unbind", "unbind"]);
if (scheme !== "inproc") {
  // libzmq lets go of an inproc name and of what is connected to it one after the other, at a time of its own.
  await ask("both at once", ["bind", "connect", "disconnect", "unbind"]);
  await ask("connected twice", ["connect", "connect", "disconnect", "disconnect"]);
}

// What was let go of is free for another, and nothing more is sent to it.
const [endpoint, first, second] = [await fresh(), new Pair({ linger: 0 }), new Pair({ linger: 0 })];
await first.bind(endpoint);
first.disconnect(endpoint);
for (let tries = 0; ; tries++) {
  try {
    await second.bind(endpoint);
    break;
  } catch (error) {
    if (tries > 500) throw error;
    await new Promise((resolve) => setTimeout(resolve, 5)); // libzmq lets go in a thread of its own
  }
}
console.log("bound by another");
first.connect(endpoint);
await first.send("hello");
console.log(String(await second.receive()));
await first.unbind(endpoint);
first.sendTimeout = 50;
console.log(
  await first.send("nobody").then(
    () => "sent",
    ({ code }) => code,
  ),
);
first.close();
second.close();
