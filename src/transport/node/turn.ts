/**
 * Limits the time that input may take in one turn of the event loop, for the portable engine (native/io/loop.h does it
 * for the native one). The limit is a time, because bytes do not tell the work that they cause: a megabyte can be a
 * hundred thousand PINGs. What exceeds the limit waits for the next turn, in order.
 */

/** Milliseconds that the input of all connections together may take in one turn. */
const TURN_MS = 8;
/** Milliseconds that the input of one connection may take in one turn. */
export const SHARE_MS = 2;

/** Something whose work can wait for the next turn. */
export interface Deferrable {
  /** Does the work that was deferred. */
  serve(): void;
}

const deferred: Deferrable[] = [];
/** When the first input of this turn was handled; -1 before that. */
let began = -1;

/** Whether this turn has used up its time. */
export function turnOver(): boolean {
  const now = performance.now();
  if (began < 0) {
    began = now;
    setImmediate(nextTurn);
  }
  return now - began >= TURN_MS;
}

/** Calls `serve` in the next turn, after those that wait already. */
export function serveLater(one: Deferrable): void {
  turnOver(); // makes sure that nextTurn() is scheduled
  deferred.push(one);
}

function nextTurn(): void {
  began = -1;
  let next = 0;
  while (next < deferred.length && !turnOver()) deferred[next++].serve();
  deferred.splice(0, next);
}
