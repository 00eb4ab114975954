/**
 * A side of a trial over the bare sockets of zwire, as the measure for calls: REQ and REP for one at a time, DEALER and
 * ROUTER for many in flight, with an empty delimiter and as many bytes as a call's request.
 */
import { Dealer, Reply, Request, Router } from "zwire";
import { inFlight, sequential } from "./calls.mjs";
import { done, job, Meter, parentSays, tellParent } from "./side.mjs";

/** Bytes of a request of zwire/rpc around an argument of bytes: ids, version, extension, name. */
const AROUND = 80;
const EMPTY = Buffer.alloc(0);
const octets = job.size + AROUND;

async function server(socket, answer) {
  await socket.bind(job.endpoint);
  tellParent({ event: "ready", endpoint: socket.lastEndpoint });
  const meter = new Meter();
  parentSays("finish").then(() => done(meter.stop()));
  let served = 0;
  for await (const message of socket) {
    if (served++ === job.warmup) meter.start();
    await answer(message);
  }
}

/** Answers come in the order of the questions. */
function dealing() {
  const dealer = new Dealer();
  dealer.connect(job.endpoint);
  const question = [EMPTY, Buffer.alloc(octets, 0x5a)];
  const waiting = [];
  dealer.on("message", (frames) => {
    if (frames[1].length !== octets) throw new Error("wrong answer");
    waiting.shift()();
  });
  return async () => {
    const answered = new Promise((resolve) => waiting.push(resolve));
    await dealer.send(question);
    await answered;
  };
}

const roles = {
  reply() {
    const socket = new Reply();
    return server(socket, (message) => socket.send(message));
  },
  serve() {
    const socket = new Router();
    return server(socket, (message) => socket.send(message));
  },
  request() {
    const socket = new Request();
    socket.connect(job.endpoint);
    const question = Buffer.alloc(octets, 0x5a);
    return sequential(async () => {
      await socket.send(question);
      const [answer] = await socket.receive();
      if (answer.length !== octets) throw new Error("wrong answer");
    });
  },
  call: () => inFlight(dealing()),
};

await roles[job.role]();
