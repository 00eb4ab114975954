/** `zwire rep`: a REP socket. */
import { Reply } from "../../index.js";
import { messageCommand } from "../messages/command.js";
import { plain } from "../messages/plug.js";

export const rep = messageCommand({
  name: "rep",
  type: "REP",
  way: "answer",
  about: `Prints the questions of zwire req (or of other REQ and DEALER sockets), and answers them: with themselves (--echo), with
a text (--reply), with what a command prints (--exec), or else with the lines of standard input (or of --file), in turn.`,
  create: (options) => plain(new Reply(options)),
  examples: [
    ["zwire rep --bind tcp://127.0.0.1:5557 --echo", "an echo server"],
    ["zwire rep --bind tcp://127.0.0.1:5557 --exec 'tr a-z A-Z'", "answers each question in capitals"],
    ["zwire rep --bind tcp://127.0.0.1:5557", "a person answers, line by line"],
  ],
});
