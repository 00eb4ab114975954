/** `zwire pull`: a PULL socket. */
import { Pull } from "../../index.js";
import { messageCommand } from "../messages/command.js";
import { plain } from "../messages/plug.js";

export const pull = messageCommand({
  name: "pull",
  type: "PULL",
  way: "receive",
  about: `Prints the messages of zwire push (or of other PUSH sockets), one a line, until --count or a signal ends it.`,
  create: (options) => plain(new Pull(options)),
  examples: [
    ["zwire pull --bind tcp://127.0.0.1:5555", "prints what comes"],
    [
      "zwire pull --bind tcp://127.0.0.1:5555 --count 10 --timeout 5000 --format json",
      "ten messages as arrays in JSON; code 3 if one is more than five seconds late",
    ],
  ],
});
