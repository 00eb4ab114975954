/** `zwire gather`: a GATHER socket. */
import { Gather } from "../../draft.js";
import { messageCommand } from "../messages/command.js";
import { plain } from "../messages/plug.js";

export const gather = messageCommand({
  name: "gather",
  type: "GATHER",
  way: "receive",
  about: `As zwire pull, for messages of one part: prints what zwire scatter sends. A draft type: libzmq needs its draft API for it.`,
  create: (options) => plain(new Gather(options)),
  examples: [["zwire gather --bind tcp://127.0.0.1:5563", "prints what comes"]],
});
