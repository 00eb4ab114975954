/** `zwire server`: a SERVER socket. */
import { Server } from "../../draft.js";
import { messageCommand } from "../messages/command.js";
import { numbered } from "../messages/plug.js";

export const server = messageCommand({
  name: "server",
  type: "SERVER",
  way: "exchange",
  address: "number",
  about: `Prints what zwire client sends, behind the number of who sent it and a tab, and sends lines to the peer whose number they
begin with. A draft type: libzmq needs its draft API for it.`,
  create: (options) => numbered(new Server(options)),
  examples: [["zwire server --bind tcp://127.0.0.1:5560 --echo", "an echo server"]],
});
