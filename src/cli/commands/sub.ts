/** `zwire sub`: a SUB socket. */
import { Subscriber } from "../../index.js";
import { messageCommand } from "../messages/command.js";
import { plain } from "../messages/plug.js";
import { text } from "../options.js";

export const sub = messageCommand({
  name: "sub",
  type: "SUB",
  way: "receive",
  about: `Prints what zwire pub (or other PUB sockets) publishes. A subscription is the beginning of a message; without
--subscribe everything is wanted.`,
  own: {
    subscribe: {
      kind: text("TOPIC"),
      short: "s",
      many: true,
      help: "receive messages that begin with this; everything if it is not given",
    },
  },
  create: (options, { subscribe }) => {
    const socket = new Subscriber(options);
    socket.subscribe(...subscribe);
    return plain(socket);
  },
  examples: [
    ["zwire sub --connect tcp://127.0.0.1:5556 --subscribe weather.", "prints what begins with weather."],
    [
      "zwire sub --connect tcp://127.0.0.1:5556 --count 1 --timeout 10000",
      "prints the next message; code 3 if there is none for ten seconds",
    ],
  ],
});
