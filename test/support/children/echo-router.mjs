/**
 * A libzmq ROUTER (zeromq.js) that sends every message back, on the endpoints given. Like any Router it drops what its
 * peer does not read. Prints {"event":"bound","endpoints":[...]}.
 */
import { Router } from "zeromq";

const router = new Router({ linger: 0 });
const endpoints = [];
for (const endpoint of process.argv.slice(2)) {
  await router.bind(endpoint);
  endpoints.push(router.lastEndpoint);
}
console.log(JSON.stringify({ event: "bound", endpoints }));
for await (const message of router) await router.send(message);
