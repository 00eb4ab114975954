/**
 * The states of a connected endpoint. Those of its connection are there twice: while the endpoint is open, and after
 * close(), while what is queued lingers. Then it may dial again, but takes nothing new.
 */
import type { Table } from "../base/machine.js";
import type { Stream } from "../transport/contract/transport.js";

/** "lost": the connection is gone, and what follows from that is not decided. */
type Phase = "waiting" | "connecting" | "handshaking" | "ready" | "lost";

export type DialState = Phase | `lingering, ${Phase}` | "stopped";

/** Why and when to dial again. */
export interface Retry {
  readonly error: Error | undefined;
  /** Milliseconds. */
  readonly interval: number;
}

/** What each event brings. */
export interface DialEvents {
  dial: undefined;
  connected: Stream;
  /** The handshake is complete. */
  shaken: undefined;
  /** The connection has ended. */
  lost: () => void;
  /** Wait, and dial again. */
  retry: Retry;
  /** Dial no more, of our own accord. */
  give: undefined;
  /** The application does not want it any more. What is queued may linger. */
  leave: undefined;
  /** Nothing lingers any more. */
  close: undefined;
}

/** What is done when an endpoint changes its state. */
export interface Dialling {
  dial(): void;
  established(stream: Stream): void;
  /** A handshake was complete: the next wait is short again. */
  resetBackoff(): void;
  /** Messages queue from now on, unless `immediate`. */
  attach(): void;
  wait(retry: Retry): void;
  /** Gives up this endpoint. */
  stop(): void;
  /** Ends what is under way. */
  end(): void;
}

const dial = (dialler: Dialling): void => dialler.dial();
const establish = (dialler: Dialling, stream: Stream): void => dialler.established(stream);
const resetBackoff = (dialler: Dialling): void => dialler.resetBackoff();
const wait = (dialler: Dialling, retry: Retry): void => dialler.wait(retry);
const stop = (dialler: Dialling): void => dialler.stop();
const end = (dialler: Dialling): void => dialler.end();
const follow = (_: Dialling, then: () => void): void => then();

function queueAndWait(dialler: Dialling, retry: Retry): void {
  dialler.attach();
  dialler.wait(retry);
}

export const DIALLING: Table<DialState, Dialling, DialEvents> = {
  waiting: { dial: ["connecting", dial], leave: ["lingering, waiting"] },
  connecting: {
    connected: ["handshaking", establish],
    retry: ["waiting", queueAndWait],
    give: ["stopped", stop],
    leave: ["lingering, connecting"],
  },
  handshaking: {
    shaken: ["ready", resetBackoff],
    lost: ["lost", follow],
    leave: ["lingering, handshaking"],
  },
  ready: { lost: ["lost", follow], leave: ["lingering, ready"] },
  lost: {
    dial: ["connecting", dial],
    retry: ["waiting", queueAndWait],
    give: ["stopped", stop],
    leave: ["lingering, lost"],
  },
  "lingering, waiting": {
    dial: ["lingering, connecting", dial],
    leave: ["lingering, waiting"],
    close: ["stopped", end],
  },
  "lingering, connecting": {
    connected: ["lingering, handshaking", establish],
    retry: ["lingering, waiting", wait],
    give: ["stopped", stop],
    leave: ["lingering, connecting"],
    close: ["stopped", end],
  },
  "lingering, handshaking": {
    shaken: ["lingering, ready", resetBackoff],
    lost: ["lingering, lost", follow],
    leave: ["lingering, handshaking"],
    close: ["stopped", end],
  },
  "lingering, ready": {
    lost: ["lingering, lost", follow],
    leave: ["lingering, ready"],
    close: ["stopped", end],
  },
  "lingering, lost": {
    dial: ["lingering, connecting", dial],
    retry: ["lingering, waiting", wait],
    give: ["stopped", stop],
    leave: ["lingering, lost"],
    close: ["stopped", end],
  },
  // Whatever was under way when it stopped ends here.
  stopped: {
    dial: ["stopped"],
    connected: ["stopped", (_, stream) => stream.close()],
    retry: ["stopped"],
    give: ["stopped"],
    leave: ["stopped"],
    close: ["stopped"],
  },
};

/** Whether the endpoint takes new messages and tells its socket of peers. */
export function isOpen(state: DialState): boolean {
  return state !== "stopped" && !state.startsWith("lingering");
}

/** Whether there is a connection whose handshake is complete. */
export function isReady(state: DialState): boolean {
  return state === "ready" || state === "lingering, ready";
}
