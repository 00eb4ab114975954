/** `zwire dish`: a DISH socket. */
import { Dish } from "../../draft.js";
import { UsageError } from "../errors.js";
import { messageCommand } from "../messages/command.js";
import { dish as plug } from "../messages/plug.js";
import { text } from "../options.js";

export const dish = messageCommand({
  name: "dish",
  type: "DISH",
  way: "receive",
  address: "group",
  about: `Prints what zwire radio sends to the groups that it has joined, behind the group. Also over udp://. A draft type: libzmq needs its draft API for it.`,
  own: { join: { kind: text("GROUP"), short: "j", many: true, help: "join this group" } },
  create: (options, { join }) => {
    if (join.length === 0) throw new UsageError("Give --join, with a group.");
    const socket = new Dish(options);
    socket.join(...join);
    return plug(socket);
  },
  examples: [["zwire dish --connect tcp://127.0.0.1:5564 --join news", "prints the news"]],
});
