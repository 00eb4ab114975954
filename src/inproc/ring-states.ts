/** The two machines of a stream between threads: whether it reads, and when its next turn comes. */
import type { NamedTable } from "../base/machine.js";

/** "parted": the other side is gone, and what it had written is still read. */
export type FlowState = "flowing" | "paused" | "parted" | "parted, paused" | "closed";

/** `part`: the other side has closed or died. */
export type FlowEvent = "pause" | "resume" | "part" | "close";

/** `continue`: there may be something to read, or to tell. */
export const FLOW: NamedTable<FlowState, FlowEvent, "continue" | "release"> = {
  flowing: {
    pause: ["paused"],
    resume: ["flowing"],
    part: ["parted", "continue"],
    close: ["closed", "release"],
  },
  paused: {
    pause: ["paused"],
    resume: ["flowing", "continue"],
    part: ["parted, paused", "continue"],
    close: ["closed", "release"],
  },
  parted: { pause: ["parted, paused"], resume: ["parted"], close: ["closed", "release"] },
  "parted, paused": {
    pause: ["parted, paused"],
    resume: ["parted", "continue"],
    close: ["closed", "release"],
  },
  closed: { pause: ["closed"], resume: ["closed"], part: ["closed"], close: ["closed"] },
};

/** "due": a turn is on its way. "armed": a waitAsync is pending. */
export type TurnState = "idle" | "due" | "armed" | "armed, due" | "ended";

/**
 * - `schedule`: there is something to do in a later turn
 * - `arm`: nothing is to be done until the other side wakes us
 * - `woken`: it has, or the wait has ended
 * - `turn`: the turn has come
 * - `end`: the stream is closed
 */
export type TurnEvent = "schedule" | "arm" | "woken" | "turn" | "end";

/**
 * - `later`: `turn` follows in the next turn of the event loop
 * - `soon`: `turn` follows in this one
 * - `wait`: `woken` follows when the other side wakes us
 */
export const TURN: NamedTable<TurnState, TurnEvent, "later" | "soon" | "wait"> = {
  idle: { schedule: ["due", "later"], arm: ["armed", "wait"], end: ["ended"] },
  due: { schedule: ["due"], arm: ["armed, due", "wait"], turn: ["idle"], end: ["ended"] },
  armed: { schedule: ["armed, due", "later"], arm: ["armed"], woken: ["due", "soon"], end: ["ended"] },
  "armed, due": {
    schedule: ["armed, due"],
    arm: ["armed, due"],
    woken: ["due"],
    turn: ["armed"],
    end: ["ended"],
  },
  ended: { schedule: ["ended"], arm: ["ended"], woken: ["ended"], turn: ["ended"] },
};

export function isPaused(state: FlowState): boolean {
  return state === "paused" || state === "parted, paused";
}

export function isParted(state: FlowState): boolean {
  return state === "parted" || state === "parted, paused";
}
