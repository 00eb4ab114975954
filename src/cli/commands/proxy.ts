/** `zwire proxy`: forwards messages between two sockets, as zmq_proxy() of libzmq. */
import { Proxy, type Socket } from "../../index.js";
import { command, type Output } from "../command.js";
import { Ending } from "../ending.js";
import { EXIT, UsageError } from "../errors.js";
import { asUsage, attach } from "../messages/attach.js";
import { plain } from "../messages/plug.js";
import { describe, forward, type Running } from "../proxy/job.js";
import { type Given, givenFor, isGiven, ofSide, PROXY_OPTIONS, type SideName } from "../proxy/options.js";
import { SOCKETS } from "../proxy/sockets.js";

/** What it has opened, to be closed if it cannot go on. */
type Opened = Socket[];

async function open(side: SideName, given: Given, output: Output, opened: Opened): Promise<Socket> {
  const type = given[side];
  if (type === undefined) throw new UsageError(`Give --${side}, such as --${side} router.`);
  try {
    const create = (options: Record<string, unknown>) => {
      const socket = SOCKETS[type].make(options);
      opened.push(socket);
      return plain(socket);
    };
    const { socket } = await attach(
      `proxy ${side}`,
      SOCKETS[type].type,
      givenFor(side, given),
      create,
      output,
    );
    return socket;
  } catch (error) {
    throw ofSide(side, error);
  }
}

/** A proxy whose sockets are bound and connected. */
async function openAll(given: Given, output: Output, opened: Opened): Promise<Omit<Running, "ending">> {
  if (given.capture === undefined && isGiven("capture", given))
    throw new UsageError("Give --capture a type.");
  const frontEnd = await open("frontend", given, output, opened);
  const backEnd = await open("backend", given, output, opened);
  const capture = given.capture && (await open("capture", given, output, opened));
  try {
    return { proxy: new Proxy(frontEnd, backEnd, capture && { capture }), capture, output };
  } catch (error) {
    throw asUsage(error);
  }
}

/** Tells on SIGUSR1 what was forwarded. Without a listener the signal would start Node's debugger. */
function onRequest(tell: () => void): () => void {
  if (process.platform === "win32") return () => {};
  process.on("SIGUSR1", tell);
  return () => void process.off("SIGUSR1", tell);
}

export const proxy = command({
  synopsis:
    "zwire proxy --frontend TYPE --frontend-bind ENDPOINT --backend TYPE --backend-bind ENDPOINT [options]",
  about: `Forwards messages between two sockets until SIGINT or SIGTERM, as zmq_proxy() of libzmq: router and dealer for requests, xsub
and xpub for what is published, pull and push for work; others, too, of which one receives and the other sends. If a side
has no room, it stops to read the other one, so high-water marks act through it. Each side may be bound and connected at
several endpoints, and has options of its own. A signal leaves one second for what was received and is not sent yet, and what
is left then is told. SIGUSR1 tells what was forwarded so far.`,
  options: PROXY_OPTIONS,
  examples: [
    [
      "zwire proxy --frontend router --frontend-bind tcp://*:5559 --backend dealer --backend-bind tcp://*:5560",
      "clients (REQ) at 5559 and workers (REP) at 5560",
    ],
    [
      "zwire proxy --frontend xsub --frontend-bind tcp://*:5557 --backend xpub --backend-bind tcp://*:5558",
      "publishers connect to 5557, subscribers to 5558",
    ],
    [
      "zwire proxy --frontend pull --frontend-connect tcp://10.0.0.1:5555 --backend push --backend-bind ipc:///run/app/work --capture pub --capture-bind tcp://127.0.0.1:5599",
      "brings work from another machine; zwire sub --connect tcp://127.0.0.1:5599 shows it",
    ],
    [
      "zwire proxy --frontend router --frontend-bind tcp://*:5559 --frontend-curve-secret-file server.key_secret --backend dealer --backend-bind ipc:///run/app/workers",
      "encrypted outside, plain inside",
    ],
  ],
  async run({ values }, output) {
    const ending = new Ending(output);
    const opened: Opened = [];
    let release = (): void => {};
    try {
      const parts = await openAll(values, output, opened);
      const capturing = parts.capture !== undefined;
      const tell = () => output.error(`zwire proxy: ${describe(parts.proxy.statistics, capturing)}\n`);
      release = onRequest(tell);
      await forward({ ...parts, ending });
      const { undeliverable } = parts.proxy.statistics;
      if (values.verbose || undeliverable > 0) tell();
      return EXIT.ok;
    } finally {
      release();
      await Promise.all(opened.map((socket) => socket.close({ linger: 0 })));
      ending.release();
    }
  },
});
