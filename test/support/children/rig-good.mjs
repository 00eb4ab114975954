/**
 * The good peer beside an attack: uses the victim all the while, and says how long it had to wait each time. Arguments:
 * what kind of peer, the victim's endpoint, options as JSON.
 */
import { connect } from "../../../dist/rpc.js";
import { onLine, Push, Request, Subscriber, say } from "./zwire.mjs";

const [kind, endpoint, given] = process.argv.slice(2);
const options = JSON.parse(given);
const now = () => performance.timeOrigin + performance.now();
const pause = () => new Promise((resolve) => setTimeout(resolve, 2));
let waits = [];
/** What our own timers are late by. */
let naps = [];
(async () => {
  for (;;) {
    const at = now();
    await pause();
    naps.push(now() - at - 2);
  }
})();
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
      waits.push(now() - at);
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
      waits.push(now() - Number(at));
    };
  },
  call() {
    const api = connect(endpoint, options);
    return async () => {
      const at = now();
      await api.echo(1);
      waits.push(now() - at);
      await pause();
    };
  },
};

const use = KINDS[kind]();
onLine(({ op, id }) => {
  if (op === "begin") {
    waits = [];
    naps = [];
  } else say({ event: "report", id, waits, naps, uses, lost });
});
process.stdin.ref?.();
await use();
say({ event: "ready" });
for (;;) {
  await use();
  uses++;
}
