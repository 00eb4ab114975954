/** `zwire peer`: a PEER socket. */
import { Peer } from "../../draft.js";
import { messageCommand } from "../messages/command.js";
import { numbered } from "../messages/plug.js";

export const peer = messageCommand({
  name: "peer",
  type: "PEER",
  way: "exchange",
  address: "number",
  about: `As zwire server, among peers that are all alike. A draft type: libzmq needs its draft API for it.`,
  create: (options) => numbered(new Peer(options)),
  examples: [["zwire peer --bind tcp://127.0.0.1:5561 --echo", "an echo server, for zwire peer"]],
});
