/** `zwire channel`: a CHANNEL socket. */
import { Channel } from "../../draft.js";
import { messageCommand } from "../messages/command.js";
import { plain } from "../messages/plug.js";

export const channel = messageCommand({
  name: "channel",
  type: "CHANNEL",
  way: "exchange",
  about: `As zwire pair, for messages of one part. A draft type: libzmq needs its draft API for it.`,
  create: (options) => plain(new Channel(options)),
  examples: [["zwire channel --bind tcp://127.0.0.1:5562", "one side of a chat"]],
});
