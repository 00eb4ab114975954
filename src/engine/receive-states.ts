/** Where a socket's incoming messages go, and when its listener is called. */
import { ZmqError } from "../base/errors.js";
import { type LinkedRow, type LinkedState, linked, rowOf, type Table } from "../base/machine.js";

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

/** Why a call cannot have messages in a mode in which others get them. */
export function elsewhere(mode: ReceiveMode): ZmqError {
  const detail =
    mode === "lent"
      ? "a proxy receives the messages of this socket: terminate() it first"
      : 'messages go to the "message" listener of this socket: remove it first';
  return new ZmqError("EBUSY", { detail });
}

/**
 * - `serve`: messages are ready
 * - `schedule`: there may be messages ready, but the listener is not to be called now
 * - `due`: the later turn has come
 * - `emptied`: the listener has had all that was ready
 * - `interrupted`: it has had its share of this turn, or has thrown
 */
type PumpEvent = "serve" | "schedule" | "due" | "emptied" | "interrupted";

/** `pump`: call the listener. `defer`: the event `due` follows in a later turn. */
type PumpAction = "pump" | "defer";

export type PumpState = LinkedState<PumpEvent, PumpAction>;
export type PumpRow = LinkedRow<PumpEvent, PumpAction>;

/** Whether the "message" listener is being called ("pumping"), and whether that is to begin in a later turn. Hot path. */
export const PUMP = linked<"idle" | "scheduled" | "pumping" | "pumping, scheduled", PumpEvent, PumpAction>(
  {
    idle: { serve: ["pumping", "pump"], schedule: ["scheduled", "defer"] },
    scheduled: { serve: ["scheduled"], schedule: ["scheduled"], due: ["pumping", "pump"] },
    // What the listener makes ready comes next, not within its call.
    pumping: {
      serve: ["pumping"],
      schedule: ["pumping, scheduled", "defer"],
      emptied: ["idle"],
      interrupted: ["scheduled", "defer"],
    },
    "pumping, scheduled": {
      serve: ["pumping, scheduled"],
      schedule: ["pumping, scheduled"],
      emptied: ["scheduled"],
      interrupted: ["scheduled"],
    },
  },
  ["serve", "schedule", "due", "emptied", "interrupted"],
);
