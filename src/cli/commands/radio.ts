/** `zwire radio`: a RADIO socket. */
import { Radio } from "../../draft.js";
import { messageCommand } from "../messages/command.js";
import { radio as plug } from "../messages/plug.js";

export const radio = messageCommand({
  name: "radio",
  type: "RADIO",
  way: "send",
  address: "group",
  about: `Sends messages of one part to a group: to every zwire dish that has joined it. The first argument is the group; lines begin
with it and a tab. Also over udp://. A draft type: libzmq needs its draft API for it.`,
  create: (options) => plug(new Radio(options)),
  examples: [
    [
      "zwire radio --bind tcp://127.0.0.1:5564 --wait-peers 1 news 'it rains'",
      "sends to the group news when somebody is there",
    ],
  ],
});
