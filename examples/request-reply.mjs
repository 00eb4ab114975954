/**
 * REQ and REP: questions and answers in turn. Run: node examples/request-reply.mjs [endpoint]
 *
 * Without an endpoint it asks a server of its own; with one it asks whoever listens there, for example
 * examples/python-peer.py.
 */
import { Reply, Request } from "zwire";

let server;

/** Answers every question until the socket is closed. */
async function serve() {
  for await (const [question] of server) await server.send(`${question} to you too`);
}

let endpoint = process.argv[2];
if (endpoint === undefined) {
  server = new Reply();
  endpoint = await server.bind("tcp://127.0.0.1:*");
  serve();
}

const client = new Request();
client.connect(endpoint);
for (const question of ["good morning", "good day", "good evening"]) {
  const [answer] = await client.request(question, { timeout: 5000 });
  console.log(`${question} → ${answer}`);
}
client.close();
server?.close();
