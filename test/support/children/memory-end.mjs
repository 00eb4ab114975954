/**
 * One end of an ipc connection in a process that a test kills. Arguments: "push" or "pull", endpoint, options as JSON,
 * first number, how many, size. A message is its number and filling. A push sends the first one, and the rest when it is
 * told to. A pull writes each number to stdout at once, with
 * write(2), so that a killed process has said all that it got.
 */
import { writeSync } from "node:fs";
import { onLine, Pull, Push, say } from "./zwire.mjs";

const [role, endpoint, options, first, count, size] = process.argv.slice(2);

if (role === "push") {
  const push = new Push(JSON.parse(options));
  push.connect(endpoint);
  const send = async (from, to) => {
    for (let i = from; i < to; i++) {
      const body = Buffer.alloc(Number(size), i & 0xff);
      body.writeUInt32BE(i);
      await push.send(body);
    }
  };
  onLine(async ({ op }) => {
    if (op === "state")
      say({ event: "state", queued: push.stats.outboundQueue, shared: push.stats.sharedMemory });
    else {
      await send(Number(first) + 1, Number(first) + Number(count));
      say({ event: "sent" });
    }
  });
  process.stdin.ref?.();
  await send(Number(first), Number(first) + 1);
} else {
  const pull = new Pull(JSON.parse(options));
  await pull.bind(endpoint);
  say({ event: "bound" });
  for await (const [body] of pull) {
    const i = body.readUInt32BE(0);
    const good =
      body.length === Number(size) && body[size - 1] === (i & 0xff) && body[size >> 1] === (i & 0xff);
    tell(`{"got":${i},"good":${good}}\n`);
  }
}

function tell(line) {
  for (;;) {
    try {
      writeSync(1, line);
      return;
    } catch (error) {
      if (error.code !== "EAGAIN") throw error; // the test has not read the pipe yet
    }
  }
}
