/**
 * What keeps a process alive, as with zeromq.js: an operation that waits, not a socket that is merely bound or
 * connected; and at the natural end of a process its unsent messages, for as long as their sockets linger.
 */
import { clearInterval, emitWarning, monotonicMs, setInterval, whenLoopEmpty } from "../base/platform.js";

/** A socket whose unsent messages the end of the process waits for. */
export interface Lingering {
  /** Messages that the kernel has not taken yet. */
  readonly unsent: number;
  /** Milliseconds to wait for them; -1 for ever. */
  readonly linger: number;
  /** Whether its context says to wait for it. */
  readonly blocky: boolean;
}

/** So far away that it never fires; it is there to be ref'd. */
const FAR_MS = 2 ** 31 - 1;
const POLL_MS = 5;
const WARN_AFTER_MS = 500;

let holds = 0;
let keeper: NodeJS.Timeout | undefined;

/** The process stays alive from `hold(1)` until the `hold(-1)` that belongs to it. */
export function hold(change: 1 | -1): void {
  holds += change;
  keeper ??= setInterval(() => {}, FAR_MS);
  if (holds > 0) keeper.ref();
  else keeper.unref();
}

/** Sockets with endpoints that are open. */
const open = new Set<Lingering>();
let watching = false;

/** From the first bind or connect on. */
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

/** Since when we have been waiting; kept over several rounds, because a beforeExit listener may add work. */
let since: number | undefined;
let warned = false;

/** The event loop is empty: go on while a socket has something to send and time to do it. */
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

/** zeromq.js's words. */
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
