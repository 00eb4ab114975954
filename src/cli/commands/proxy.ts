/** `zwire proxy`: passes messages between two sockets, as libzmq's zmq_proxy() does. */
import * as zwire from "../../index.js";
import { command } from "../command.js";
import { Ending } from "../ending.js";
import { EXIT, UsageError } from "../errors.js";
import { asUsage } from "../messages/attach.js";
import { type Kind, text } from "../options.js";

/** The types that a proxy passes messages between, by their names in --frontend and the like. */
const TYPES = {
  router: zwire.Router,
  dealer: zwire.Dealer,
  xsub: zwire.XSubscriber,
  xpub: zwire.XPublisher,
  pull: zwire.Pull,
  push: zwire.Push,
  sub: zwire.Subscriber,
  pub: zwire.Publisher,
  pair: zwire.Pair,
} as const;
type TypeName = keyof typeof TYPES;
const NAMES = Object.keys(TYPES) as TypeName[];

/** One end of a proxy. */
interface End {
  readonly type: TypeName;
  /** Whether it binds; `>` before the endpoint connects, as in CZMQ. */
  readonly bind: boolean;
  readonly endpoint: string;
}

/** `TYPE@ENDPOINT` binds, `TYPE>ENDPOINT` connects. */
const end: Kind<End> = {
  ...text("TYPE@ENDPOINT", () => NAMES.map((name) => `${name}@`)),
  read(given, name) {
    const [, type, how, endpoint] = /^([a-z]+)([@>])(.+)$/s.exec(given) ?? [];
    if (!(NAMES as string[]).includes(type))
      throw new UsageError(
        `${name} must be TYPE@ENDPOINT to bind or TYPE>ENDPOINT to connect, with a type of ${NAMES.join(", ")}; got "${given}"`,
      );
    return { type: type as TypeName, bind: how === "@", endpoint };
  },
};

/** Makes the socket of some ends, which must be of one type. */
function socketOf(name: string, ends: readonly End[]): zwire.Socket {
  const [first] = ends;
  const other = ends.find(({ type }) => type !== first.type);
  if (other !== undefined) throw new UsageError(`${name} is ${first.type} or ${other.type}, not both`);
  const socket = new TYPES[first.type]();
  if (socket instanceof zwire.Subscriber) socket.subscribe();
  return socket;
}

async function attach(
  socket: zwire.Socket,
  ends: readonly End[],
  tell: (text: string) => void,
): Promise<void> {
  for (const { bind, endpoint } of ends) {
    if (!bind) socket.connect(endpoint);
    else {
      const bound = await socket.bind(endpoint);
      if (bound !== endpoint) tell(`bound to ${bound}`);
    }
  }
}

export const proxy = command({
  synopsis: "zwire proxy --frontend TYPE@ENDPOINT --backend TYPE@ENDPOINT [options]",
  about: `Passes messages between two sockets, both ways if their types allow it, until a signal ends it. TYPE@ENDPOINT binds,
TYPE>ENDPOINT connects (in quotes, because > means something to a shell). The types are ${NAMES.join(", ")}.`,
  options: {
    frontend: { kind: end, many: true, help: "one side" },
    backend: { kind: end, many: true, help: "the other side" },
    capture: {
      kind: end,
      many: true,
      help: "a socket that gets a copy of every message, such as pub@ENDPOINT",
    },
    quiet: { short: "q", help: "do not say at the end how many messages have passed" },
  },
  examples: [
    [
      "zwire proxy --frontend router@tcp://127.0.0.1:5601 --backend dealer@tcp://127.0.0.1:5602",
      "a queue: requests of many zwire req go to many zwire rep --connect",
    ],
    [
      "zwire proxy --frontend xsub@tcp://127.0.0.1:5601 --backend xpub@tcp://127.0.0.1:5602",
      "a broker: zwire pub and zwire sub both connect",
    ],
    [
      "zwire proxy --frontend pull@tcp://127.0.0.1:5601 --backend push@tcp://127.0.0.1:5602 --capture pub@tcp://127.0.0.1:5603",
      "a pipeline that zwire sub can watch",
    ],
  ],
  async run({ values }, output) {
    const { frontend, backend, capture } = values;
    if (frontend.length === 0 || backend.length === 0) throw new UsageError("Give --frontend and --backend.");
    const named = [
      ["--frontend", frontend],
      ["--backend", backend],
      ["--capture", capture],
    ] as const;
    const ending = new Ending(output);
    const sockets: zwire.Socket[] = [];
    try {
      for (const [name, ends] of named) if (ends.length > 0) sockets.push(socketOf(name, ends));
      const [front, back, copies] = sockets;
      const passing = new zwire.Proxy(front, back, copies === undefined ? {} : { capture: copies });
      for (const [at, [name, ends]] of named.entries())
        if (ends.length > 0)
          await attach(sockets[at], ends, (text) => output.error(`zwire proxy: ${name} ${text}\n`));
      const running = passing.run();
      ending.signal.addEventListener("abort", () => passing.terminate(), { once: true });
      if (ending.signal.aborted) passing.terminate();
      await running;
      const { frontEnd, backEnd, undeliverable } = passing.statistics;
      if (!values.quiet)
        output.error(
          `zwire proxy: ${frontEnd.messagesIn} messages from the front, ${backEnd.messagesIn} from the back, ${undeliverable} undeliverable\n`,
        );
      return EXIT.ok;
    } catch (error) {
      throw asUsage(error);
    } finally {
      await Promise.all(sockets.map((socket) => socket.close({ linger: 1000 })));
      ending.release();
    }
  },
});
