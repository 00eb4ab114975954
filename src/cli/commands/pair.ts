/** `zwire pair`: a PAIR socket. */
import { Pair } from "../../index.js";
import { messageCommand } from "../messages/command.js";
import { plain } from "../messages/plug.js";

export const pair = messageCommand({
  name: "pair",
  type: "PAIR",
  way: "exchange",
  about: `Talks to one peer, both ways at once. Arguments are the parts of one message.
Without arguments, each line of standard input (or of --file) is a message. It goes on receiving when all is sent, until --count, --timeout or a signal ends it.`,
  create: (options) => plain(new Pair(options)),
  examples: [
    ["zwire pair --bind tcp://127.0.0.1:5559", "one side of a chat"],
    ["zwire pair --connect tcp://127.0.0.1:5559", "the other side"],
  ],
});
