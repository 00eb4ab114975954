/** `zwire scatter`: a SCATTER socket. */
import { Scatter } from "../../draft.js";
import { messageCommand } from "../messages/command.js";
import { plain } from "../messages/plug.js";

export const scatter = messageCommand({
  name: "scatter",
  type: "SCATTER",
  way: "send",
  about: `As zwire push, for messages of one part: each goes to one zwire gather. A draft type: libzmq needs its draft API for it.`,
  create: (options) => plain(new Scatter(options)),
  examples: [["seq 10 | zwire scatter --connect tcp://127.0.0.1:5563", "sends ten messages"]],
});
