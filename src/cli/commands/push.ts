/** `zwire push`: a PUSH socket. */
import { Push } from "../../index.js";
import { messageCommand } from "../messages/command.js";
import { plain } from "../messages/plug.js";

export const push = messageCommand({
  name: "push",
  type: "PUSH",
  way: "send",
  about: `Sends messages, each to one zwire pull (or other PULL socket), in turn. Arguments are the parts of one message.
Without arguments, each line of standard input (or of --file) is a message. It ends when all is sent.`,
  create: (options) => plain(new Push(options)),
  examples: [
    ["zwire push --connect tcp://127.0.0.1:5555 hello", "sends one message, as soon as somebody is there"],
    ["seq 1000 | zwire push --bind tcp://127.0.0.1:5555", "sends a thousand, to all who connect, in turn"],
    [
      "zwire push --connect tcp://127.0.0.1:5555 --format raw --file picture.png",
      "sends a file as one message",
    ],
  ],
});
