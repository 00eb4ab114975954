/** `zwire client`: a CLIENT socket. */
import { Client } from "../../draft.js";
import { messageCommand } from "../messages/command.js";
import { plain } from "../messages/plug.js";

export const client = messageCommand({
  name: "client",
  type: "CLIENT",
  way: "exchange",
  about: `Sends messages of one part to zwire server, and prints what it sends. A draft type: libzmq needs its draft API for it.`,
  create: (options) => plain(new Client(options)),
  examples: [
    ["zwire client --connect tcp://127.0.0.1:5560 --count 1 hello", "sends a message, and prints the answer"],
  ],
});
