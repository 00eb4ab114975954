/**
 * The time that input may take of one turn of the event loop, for the portable engine; the addon keeps it for the native
 * one (native/io/loop.h). Bytes say little of the work in them: a megabyte is a hundred thousand PINGs. Who comes too
 * late waits for the next turn, in order. Knows no streams.
 */

/** Milliseconds that input may take in one turn, all connections together. */
const TURN_MS = 8;
/** The same for one connection. */
export const SHARE_MS = 2;

/** Has something to do that can wait for the next turn. */
export interface Deferrable {
  serve(): void;
}

const deferred: Deferrable[] = [];
/** When input was first handled in this turn; -1 when none was yet. */
let began = -1;

/** Whether this turn has had its time. */
export function turnOver(): boolean {
  const now = performance.now();
  if (began < 0) {
    began = now;
    setImmediate(nextTurn);
  }
  return now - began >= TURN_MS;
}

/** Serve somebody on the next turn, behind those who wait already. */
export function serveLater(one: Deferrable): void {
  turnOver(); // a turn follows
  deferred.push(one);
}

function nextTurn(): void {
  began = -1;
  let next = 0;
  while (next < deferred.length && !turnOver()) deferred[next++].serve();
  deferred.splice(0, next);
}
