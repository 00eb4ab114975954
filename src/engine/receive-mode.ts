/** Who gets the messages of a socket, and how that changes. */
import { rowOf, type Table } from "../base/machine.js";

/** Receives, the "message" listener, or a proxy that has them on loan. */
export type ReceiveMode = "receiving" | "listening" | "lent" | "closed";
interface ModeEvents {
  listen: undefined;
  stopListening: undefined;
  lend: undefined;
  reclaim: undefined;
  close: undefined;
}

const MODES: Table<ReceiveMode, null, ModeEvents> = {
  receiving: {
    listen: ["listening"],
    stopListening: ["receiving"],
    lend: ["lent"],
    reclaim: ["receiving"],
    close: ["closed"],
  },
  listening: {
    listen: ["listening"],
    stopListening: ["receiving"],
    reclaim: ["listening"],
    close: ["closed"],
  },
  lent: { stopListening: ["lent"], reclaim: ["receiving"], close: ["closed"] },
  closed: { reclaim: ["closed"], close: ["closed"] },
};

/** The mode that follows an event. */
export function nextMode(mode: ReceiveMode, event: keyof ModeEvents): ReceiveMode {
  return rowOf(MODES, mode, event)[0];
}
