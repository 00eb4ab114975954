/** `zwire router`: a ROUTER socket. */
import { Router } from "../../index.js";
import { messageCommand } from "../messages/command.js";
import { plain } from "../messages/plug.js";

export const router = messageCommand({
  name: "router",
  type: "ROUTER",
  way: "exchange",
  address: "name",
  about: `Prints what DEALER, REQ and ROUTER sockets send, behind the name of who sent it, and sends lines to the peer whose name
they begin with. A tab separates the parts. A name that cannot be typed is shown as 0x and hexadecimal digits, and read so.
A REQ socket expects an empty part behind the name.`,
  create: (options) => plain(new Router(options)),
  examples: [
    ["zwire router --bind tcp://127.0.0.1:5558 --echo", "an echo server for many at once"],
    ["zwire router --bind tcp://127.0.0.1:5558", "a person talks to all: name, tab, text"],
    [
      "zwire router --connect tcp://127.0.0.1:5558 --wait-peers 1 --option mandatory=true --count 0 worker-1 stop",
      "sends one message to the peer that calls itself worker-1",
    ],
  ],
});
