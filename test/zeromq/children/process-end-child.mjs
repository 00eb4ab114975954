/**
 * Small programs that come to their end in some state of their sockets; the argument says which. Prints `ready` when
 * there is nothing more to do than to wait.
 */
import { load } from "./libraries.mjs";

const [, , library, scenario] = process.argv;
const { zmq } = await load(library, false);
const ANY = "tcp://127.0.0.1:*";
/** Nobody listens there. */
const NOBODY = "tcp://127.0.0.1:1";

/** Keeps sockets reachable: a collected one would be closed. */
const kept = [];
const keep = (socket) => {
  kept.push(socket);
  return socket;
};
async function unsent(options) {
  const push = keep(new zmq.Push(options));
  push.connect(NOBODY);
  await push.send("x");
  return push;
}
const report = (promise) =>
  promise.then(
    () => console.log("done"),
    (error) => console.log(error.code),
  );

const scenarios = {
  bound: async () => keep(new zmq.Pull()).bind(ANY),
  async "bound over ipc"() {
    const [any, named] = [keep(new zmq.Pull()), keep(new zmq.Pull())];
    await any.bind("ipc://*");
    await named.bind(`ipc://${process.env.TMPDIR}/named`);
    for (const { lastEndpoint } of [any, named]) console.log(lastEndpoint.slice("ipc://".length));
  },
  "bound over inproc": async () => keep(new zmq.Pull()).bind("inproc://end"),
  "connected over inproc": async () => keep(new zmq.Pull()).connect("inproc://end"),
  connected: async () => keep(new zmq.Pull()).connect(NOBODY),
  subscriber: async () => {
    const socket = keep(new zmq.Subscriber());
    socket.subscribe();
    socket.connect(NOBODY);
  },
  async talked() {
    const [push, pull] = [keep(new zmq.Push()), keep(new zmq.Pull())];
    await pull.bind(ANY);
    push.connect(pull.lastEndpoint);
    await push.send("x");
    await pull.receive();
  },
  async receiving() {
    const pull = keep(new zmq.Pull());
    await pull.bind(ANY);
    report(pull.receive());
  },
  "receiving, unconnected": async () => void report(keep(new zmq.Pull()).receive()),
  async "receiving with a time-out"() {
    const pull = keep(new zmq.Pull({ receiveTimeout: 200 }));
    await pull.bind(ANY);
    report(pull.receive());
  },
  sending: async () => void report(keep(new zmq.Push()).send("x")),
  async iterating() {
    const pull = keep(new zmq.Pull());
    await pull.bind(ANY);
    (async () => {
      for await (const _ of pull);
    })();
  },
  async "reading events"() {
    const pull = keep(new zmq.Pull());
    await pull.bind(ANY);
    pull.events.receive();
  },
  async "listening to events"() {
    const pull = keep(new zmq.Pull());
    await pull.bind(ANY);
    pull.events.on("accept", () => 0);
  },
  async "running a proxy"() {
    const proxy = keep(new zmq.Proxy(new zmq.Pull(), new zmq.Push()));
    await proxy.frontEnd.bind(ANY);
    await proxy.backEnd.bind(ANY);
    proxy.run();
  },
  unsent: () => unsent(),
  "unsent, linger 0": () => unsent({ linger: 0 }),
  "unsent, linger 300": () => unsent({ linger: 300 }),
  "unsent and closed": async () => (await unsent()).close(),
  "unsent and closed, linger 300": async () => (await unsent({ linger: 300 })).close(),
  "unsent and disconnected": async () => (await unsent()).disconnect(NOBODY),
  async "unsent, disconnected and closed"() {
    const push = await unsent();
    push.disconnect(NOBODY);
    push.close();
  },
  "unsent and disconnected, linger 300": async () => (await unsent({ linger: 300 })).disconnect(NOBODY),
  "unsent, own context": () => unsent({ context: new zmq.Context() }),
  async "unsent, not blocky"() {
    zmq.context.blocky = false;
    await unsent();
  },
  async "unsent, process.exit()"() {
    await unsent();
    console.log("ready");
    process.exit(3);
  },
  async "unsent, an error"() {
    await unsent();
    console.log("ready");
    throw new Error("thrown by the program");
  },
};

await scenarios[scenario]();
console.log("ready");
