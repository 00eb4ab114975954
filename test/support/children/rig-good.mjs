/**
 * The good peer beside an attack: uses the victim all the while, and says how long it had to wait each time. Arguments:
 * what kind of peer, the victim's endpoint, options as JSON.
 */
import { connect } from "../../../dist/rpc.js";
import { onLine, Push, Request, Subscriber, say } from "./zwire.mjs";

const [kind, endpoint, given] = process.argv.slice(2);
const options = JSON.parse(given);
const now = () => performance.timeOrigin + performance.now();
// By the clock: the pace of a good peer, whose delays are measured.
const pause = () => new Promise((resolve) => setTimeout(resolve, 2));
let waits = [];
/** When the stretch that is measured began. */
let since = 0;
/** What our own timers are late by. */
let naps = [];
(async () => {
  for (;;) {
    const at = now();
    await pause();
    naps.push(now() - Math.max(at, since) - 2);
  }
})();
/** Something was used that began then; only what fell into the stretch counts. */
function waited(at) {
  waits.push(now() - Math.max(at, since));
}
let uses = 0;
let lost = 0;

/** What it does again and again. */
const KINDS = {
  /** The victim measures. */
  push() {
    const push = new Push(options);
    push.connect(endpoint);
    push.on("disconnect", () => lost++);
    return async () => {
      await push.send(String(now()));
      await pause();
    };
  },
  request() {
    const request = new Request(options);
    request.connect(endpoint);
    request.on("disconnect", () => lost++);
    return async () => {
      const at = now();
      await request.send("x");
      await request.receive();
      waited(at);
      await pause();
    };
  },
  subscribe() {
    const subscriber = new Subscriber(options);
    subscriber.subscribe("tick");
    subscriber.connect(endpoint);
    subscriber.on("disconnect", () => lost++);
    return async () => {
      const [, at] = await subscriber.receive();
      waited(Number(at));
    };
  },
  call() {
    const api = connect(endpoint, options);
    return async () => {
      const at = now();
      await api.echo(1);
      waited(at);
      await pause();
    };
  },
};

const use = KINDS[kind]();
onLine(({ op, id }) => {
  if (op === "begin") {
    waits = [];
    naps = [];
    since = now();
    say({ event: "begun", id });
  } else say({ event: "report", id, waits, naps, uses, lost });
});
process.stdin.ref?.();
await use();
say({ event: "ready" });
for (;;) {
  await use();
  uses++;
}
