/**
 * Keeps the process alive as zeromq.js does. An operation that waits keeps it alive; a socket that is only bound or connected
 * does not. At the natural end of a process, unsent messages keep it alive for as long as their sockets linger.
 */
import { clearInterval, emitWarning, monotonicMs, setInterval, whenLoopEmpty } from "../base/platform.js";

/** A socket with unsent messages, for which the process waits at its end. */
export interface Lingering {
  /** Messages that the kernel has not taken yet. */
  readonly unsent: number;
  /** Milliseconds to wait for them; -1 for no limit. */
  readonly linger: number;
  /** Whether its context tells the process to wait for it. */
  readonly blocky: boolean;
}

/** A timer that never fires; it only serves to keep the process alive. */
const FAR_MS = 2 ** 31 - 1;
const POLL_MS = 5;
const WARN_AFTER_MS = 500;

let holds = 0;
let keeper: NodeJS.Timeout | undefined;

/** The process stays alive from `hold(1)` until the matching `hold(-1)`. */
export function hold(change: 1 | -1): void {
  holds += change;
  keeper ??= setInterval(() => {}, FAR_MS);
  if (holds > 0) keeper.ref();
  else keeper.unref();
}

/** Open sockets with endpoints. */
const open = new Set<Lingering>();
let watching = false;

/** Called at the first bind or connect. */
export function watchUnsent(socket: Lingering): void {
  open.add(socket);
  if (watching) return;
  watching = true;
  whenLoopEmpty(atNaturalEnd);
}

/** The socket is closed. */
export function unwatchUnsent(socket: Lingering): void {
  open.delete(socket);
}

/** Start of the wait. Kept over several rounds, because a beforeExit listener may add work. */
let since: number | undefined;
let warned = false;

/** The event loop is empty: continue while a socket has unsent messages and linger time left. */
function atNaturalEnd(): void {
  since ??= monotonicMs();
  if (!isAnyUnsent()) return;
  hold(1);
  const timer = setInterval(() => {
    if (!isAnyUnsent()) {
      clearInterval(timer);
      hold(-1);
    } else if (!warned && monotonicMs() - (since as number) > WARN_AFTER_MS) {
      warned = true;
      emitWarning(warning());
    }
  }, POLL_MS);
}

/** The warning of zeromq.js. */
function warning(): string {
  const blocking = [...open].some(({ unsent, linger, blocky }) => blocky && unsent > 0 && linger !== 0);
  const advice = blocking ? " Set 'context.blocky = false' to change this behaviour." : "";
  return `Waiting for queued ZeroMQ messages to be delivered.${advice}`;
}

function isAnyUnsent(): boolean {
  const waited = monotonicMs() - (since as number);
  for (const { unsent, linger } of open) {
    if (unsent > 0 && (linger < 0 || waited < linger)) return true;
  }
  return false;
}
