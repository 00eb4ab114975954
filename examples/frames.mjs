/**
 * One process makes 1080p frames, four others look at every one of them: first by loans over ipc, where nothing is copied,
 * then the same over tcp. Run: node examples/frames.mjs [seconds]
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { Publisher, Subscriber } from "zwire";

const WIDTH = 1920;
const HEIGHT = 1080;
const FRAME_BYTES = WIDTH * HEIGHT * 4;
const VIEWERS = 4;
const [, script, role = "3", ...rest] = process.argv;

/** What is made and seen of a frame: its number in the corners. Whoever draws it writes all of it, in any of the ways. */
const CORNERS = [0, WIDTH * 4 - 4, FRAME_BYTES - WIDTH * 4, FRAME_BYTES - 4];

const processorMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Looks at frames until the empty one, and says what it cost. */
async function view(endpoint) {
  const subscriber = new Subscriber();
  subscriber.subscribe();
  subscriber.connect(endpoint);
  let seen = 0;
  let copied = 0;
  let next = 0;
  let before = 0;
  for await (const [frame] of subscriber.borrowed()) {
    if (frame.length === 0) break;
    const numbers = CORNERS.map((at) => frame.readUInt32LE(at));
    if (numbers.some((number) => number !== next)) throw new Error(`expected frame ${next}, got ${numbers}`);
    if (next++ === 0) before = processorMs(); // without the start of the process
    seen++;
    if (subscriber.stats.borrowedBytes === 0) copied += frame.length;
  }
  await subscriber.close();
  process.send({ seen, copied, processor: processorMs() - before });
  process.disconnect();
}

/** Makes as many frames as it can for so long. */
async function show(name, endpoint, seconds) {
  const publisher = new Publisher({ noDrop: true, sendHighWaterMark: 4 });
  const at = await publisher.bind(endpoint);
  const viewers = Array.from({ length: VIEWERS }, () => fork(script, ["view", at]));
  const reports = viewers.map((viewer) => once(viewer, "message"));
  await publisher.waitForSubscribers(VIEWERS);
  const before = processorMs();
  const began = performance.now();
  let frames = 0;
  while (performance.now() - began < seconds * 1000) {
    const frame = await publisher.nextLoan(FRAME_BYTES);
    for (const corner of CORNERS) frame.writeUInt32LE(frames, corner);
    await publisher.send(frame);
    frames++;
  }
  await publisher.send("");
  const seen = (await Promise.all(reports)).map(([report]) => report);
  const took = (performance.now() - began) / 1000;
  const copied = seen.reduce((sum, one) => sum + one.copied, 0);
  const processor = processorMs() - before + seen.reduce((sum, one) => sum + one.processor, 0);
  await publisher.close();
  if (seen.some((one) => one.seen !== frames)) throw new Error("a viewer has missed a frame");
  const rate = Math.round(frames / took)
    .toString()
    .padStart(6);
  const megabytes = (copied / frames / 1e6).toFixed(1).padStart(5);
  const milliseconds = (processor / frames).toFixed(2).padStart(6);
  console.log(
    `${name}  ${rate} frames/s  ${megabytes} MB copied and ${milliseconds} ms of processor time per frame`,
  );
}

if (role === "view") await view(rest[0]);
else {
  console.log(`1080p frames of ${(FRAME_BYTES / 1e6).toFixed(1)} MB, one process to ${VIEWERS}:`);
  await show("loans over ipc", "ipc://*", Number(role));
  await show("tcp           ", "tcp://127.0.0.1:*", Number(role));
}
