/** Listens on an address and says its port; its parent stops it, so that it accepts nobody and a full backlog answers nobody. */
import { createServer } from "node:net";
import { say } from "./zwire.mjs";

const server = createServer(() => {});
server.listen({ host: process.argv[2], port: Number(process.argv[3]), backlog: 1 }, () =>
  say({ event: "listening", port: server.address().port }),
);
