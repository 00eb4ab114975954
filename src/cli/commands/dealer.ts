/** `zwire dealer`: a DEALER socket. */
import { Dealer } from "../../index.js";
import { messageCommand } from "../messages/command.js";
import { plain } from "../messages/plug.js";

export const dealer = messageCommand({
  name: "dealer",
  type: "DEALER",
  way: "exchange",
  about: `Sends messages to its peers in turn, and prints what they send, both at once. Arguments are the parts of one message.
Without arguments, each line of standard input (or of --file) is a message. It goes on receiving when all is sent, until --count, --timeout or a signal ends it.
To talk to zwire rep, send an empty part first.`,
  create: (options) => plain(new Dealer(options)),
  examples: [
    [
      "zwire dealer --connect tcp://127.0.0.1:5558 --count 1 '' 'how are you?'",
      "asks a REP socket, and prints its answer",
    ],
    ["zwire dealer --bind tcp://127.0.0.1:5558 --echo", "sends back what it gets"],
  ],
});
