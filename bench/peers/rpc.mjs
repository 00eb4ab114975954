/** A side of a trial over zwire/rpc. */
import { connect, serve } from "zwire/rpc";
import { inFlight, sequential } from "./calls.mjs";
import { done, job, Meter, parentSays, tellParent } from "./side.mjs";

async function server() {
  const meter = new Meter();
  let served = 0;
  const echo = (value) => {
    if (served++ === job.warmup) meter.start();
    return value;
  };
  const { endpoint } = await serve(job.endpoint, { echo });
  tellParent({ event: "ready", endpoint });
  await parentSays("finish");
  done(meter.stop());
}

/** Something that calls `echo` and looks at the answer. */
export function asking() {
  const remote = connect(job.endpoint);
  const question = Buffer.alloc(job.size, 0x5a);
  return async () => {
    const answer = await remote.echo(question);
    if (answer.length !== job.size) throw new Error("wrong answer");
  };
}

export const roles = {
  reply: server,
  serve: server,
  request: () => sequential(asking()),
  call: () => inFlight(asking()),
};

if (job.library === "rpc") await roles[job.role]();
