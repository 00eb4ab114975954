/** `zwire pub`: a PUB socket. */
import { Publisher } from "../../index.js";
import { messageCommand } from "../messages/command.js";
import { plain } from "../messages/plug.js";

export const pub = messageCommand({
  name: "pub",
  type: "PUB",
  way: "send",
  about: `Publishes messages to those who subscribed to what their first part begins with. Arguments are the parts of one message.
Without arguments, each line of standard input (or of --file) is a message. What nobody has subscribed to is dropped: --wait-peers waits for subscribers.`,
  create: (options) => plain(new Publisher(options)),
  examples: [
    [
      "zwire pub --bind tcp://127.0.0.1:5556 --wait-peers 1 weather.berlin '12 °C'",
      "publishes one message of two parts when somebody has subscribed",
    ],
    [
      "zwire pub --bind tcp://127.0.0.1:5556 --count 60 --interval 1000 tick",
      "publishes once a second for a minute",
    ],
  ],
});
