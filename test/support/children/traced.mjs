/**
 * What NODE_DEBUG=zwire is to tell of: a connection that opens and closes, one too many, a peer that does not speak ZMTP, one
 * with PLAIN, one that is refused by an authenticator that throws, an attempt to connect to nobody, and a call that is
 * sent again. Everything secret in it contains "hush".
 */
import { EventEmitter, once } from "node:events";
import { createServer, connect as dial } from "node:net";
import { connect, serve } from "../../../dist/rpc.js";
import { Dealer, Pull, Push, say } from "./zwire.mjs";

const any = "tcp://127.0.0.1:*";

const pull = new Pull({ maxConnections: 1 });
const bound = await pull.bind(any);
const push = new Push({ linger: 0, socksUsername: "hush-user", socksPassword: "hush-word" });
push.connect(bound);
await push.send("hush: a message");
await pull.receive();
const surplus = dial(Number(bound.split(":").at(-1)), "127.0.0.1").on("error", () => {});
await once(pull, "limit");
surplus.destroy();
const gone = once(pull, "disconnect");
await push.close();
await gone;

const stranger = dial(Number(bound.split(":").at(-1)), "127.0.0.1");
stranger.write("GET / HTTP/1.1\r\nCookie: hush\r\n\r\n".padEnd(64, "x"));
await once(pull, "handshake:error:protocol");
stranger.destroy();
await pull.close();

const server = new Dealer({
  security: { mechanism: "plain", server: true },
  authenticate: ({ username, password }) => {
    if (String(username) === "hush-ann") return "hush-id";
    throw new Error(`hush: not ${password}`);
  },
});
const guarded = await server.bind("ipc://*");
for (const username of ["hush-ann", "hush-bob"]) {
  const security = { mechanism: "plain", username, password: "hush-hush" };
  const client = new Dealer({ security, routingId: "hush-name", linger: 0 });
  const outcome = once(server, username === "hush-ann" ? "handshake" : "handshake:error:other");
  client.connect(guarded);
  await outcome;
  await client.close();
}
await server.close();

const probe = createServer().listen(0, "127.0.0.1");
await once(probe, "listening");
const nobody = `tcp://127.0.0.1:${probe.address().port}`;
probe.close();
await once(probe, "close");
const lonely = new Push({ linger: 0, reconnectInterval: 1 });
lonely.connect(nobody);
await once(lonely, "connect:retry");
await lonely.close();

const calls = new EventEmitter();
const called = once(calls, "call");
let runs = 0;
const service = await serve(any, {
  wait() {
    calls.emit("call");
    return ++runs === 1 ? new Promise(() => {}) : "done";
  },
});
const halves = [];
const relay = createServer((near) => {
  const far = dial(Number(service.endpoint.split(":").at(-1)), "127.0.0.1");
  for (const half of [near, far]) halves.push(half.on("error", () => {}));
  near.pipe(far).pipe(near);
}).listen(0, "127.0.0.1");
await once(relay, "listening");
const api = connect(`tcp://127.0.0.1:${relay.address().port}`, { idempotent: ["wait"] });
const answer = api.wait("hush");
await called;
for (const half of halves) half.destroy();
say({ answer: await answer, bound, nobody });
await api.$close();
await service.close({ grace: 0 });
relay.close();
