/** Where a socket's incoming messages go, and how that changes. */
import { rowOf, type Table } from "../base/machine.js";

/** To calls of receive(), to the "message" listener, or to a proxy that has borrowed the socket ("lent"). */
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
