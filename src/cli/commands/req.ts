/** `zwire req`: a REQ socket. */
import { Request } from "../../index.js";
import { messageCommand } from "../messages/command.js";
import { plain } from "../messages/plug.js";

export const req = messageCommand({
  name: "req",
  type: "REQ",
  way: "ask",
  about: `Asks zwire rep (or another REP or ROUTER socket), and prints the answer. Arguments are the parts of one question.
Without arguments, each line of standard input (or of --file) is a question, asked when the one before it is answered.`,
  create: (options) => plain(new Request(options)),
  examples: [
    [
      "zwire req --connect tcp://127.0.0.1:5557 --timeout 1000 'how are you?'",
      "asks once; code 3 if there is no answer within a second",
    ],
    ["seq 3 | zwire req --connect tcp://127.0.0.1:5557", "asks three times, one after the other"],
  ],
});
