/**
 * Multicast between processes, inside a network namespace where 239.0.0.0/8 and ff15::/16 go to a pair of devices, v0 and v1.
 * Without arguments it is the conductor: each line on stdin, `{ port, roles: [...] }`, starts a process for each role, waits
 * until those that listen do, lets the others send, and prints what each has heard. zwire is dist/, "zeromq" is
 * libzmq, "python" is ../peers/multicast.py.
 *
 * Role: { library, type: "Radio" | "Dish" | "Datagram", endpoint, group, options, send: [...], hear: count }
 */
import { fork, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

process.removeAllListeners("warning");
process.on("warning", () => {});
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A process that plays a role until it is killed. Messages: "ready", then { heard }. */
async function play(role) {
  process.once("disconnect", () => process.exit());
  const { library, type, endpoint, group, options, send = [], hear = 0 } = role;
  const module =
    library === "zwire" ? new URL("../../../dist/draft.js", import.meta.url).href : "zeromq/draft.js";
  const loaded = await import(module);
  const Type = (loaded.default ?? loaded)[type];
  const socket = new Type(options);
  if (type === "Dish") socket.join(group);
  if (type === "Radio") socket.connect(endpoint);
  else await socket.bind(endpoint);
  await pause(library === "zwire" ? 0 : 200); // by the clock: libzmq opens it in another thread
  process.send("ready");
  await new Promise((begin) => process.once("message", begin));
  for (const message of send) {
    if (type === "Radio") await socket.send(message, { group });
    else await socket.send(message);
    await pause(2); // by the clock: a receiver of datagrams that is behind loses them
  }
  const heard = [];
  const end = Date.now() + (role.patience ?? 20_000);
  while (heard.length < hear && Date.now() < end) {
    const late = pause(end - Date.now()).then(() => undefined);
    const message = await Promise.race([socket.receive(), late]);
    if (message === undefined) break;
    heard.push(type === "Dish" ? `${message[1].group}: ${message[0]}` : String(message[1]));
  }
  // What should not have come may come yet.
  if (type !== "Radio")
    socket.receive().then(
      () => process.send({ more: true }),
      () => {},
    );
  await pause(role.patience === undefined ? 50 : 0);
  process.send({ heard });
}

/** A listener in Python, in the place of a process of our own. */
function python({ endpoint, hear }) {
  const [, ours, group, port] = /^udp:\/\/(.*);(.*):(\d+)$/.exec(endpoint);
  const file = fileURLToPath(new URL("../peers/multicast.py", import.meta.url));
  const child = spawn("python3", [file, group, port, ours, String(hear)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    child.emit("message", line === "ready" ? line : { heard: JSON.parse(line) });
  });
  child.send = () => {};
  return child;
}

async function conduct({ roles }) {
  const players = roles.map((role) => {
    const self = fileURLToPath(import.meta.url);
    const child = role.library === "python" ? python(role) : fork(self, [JSON.stringify(role)]);
    const player = { child, role, more: false };
    player.ready = new Promise((resolve) => {
      player.done = new Promise((finished, failed) => {
        child.on("message", (message) => {
          if (message === "ready") resolve();
          else if (message.more) player.more = true;
          else finished(message.heard);
        });
        child.once("exit", (code) => failed(new Error(`${role.library} ${role.type} ended with ${code}`)));
      });
    });
    return player;
  });
  try {
    await Promise.race([Promise.all(players.map(({ ready }) => ready)), ...players.map(({ done }) => done)]);
    for (const { child } of players) child.send("begin");
    const heard = await Promise.all(players.map(({ done }) => done));
    return { heard, more: players.map((player) => player.more) };
  } finally {
    for (const { child } of players) child.kill();
  }
}

if (process.argv[2] !== undefined) await play(JSON.parse(process.argv[2]));
else {
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, ...job } = JSON.parse(line);
    const answer = await conduct(job).catch((error) => ({ error: String(error) }));
    console.log(JSON.stringify({ id, ...answer }));
  }
}
