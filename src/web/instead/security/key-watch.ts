/** Stands for security/key-watch.ts: no socket of a page has `authenticate`, so that there is nothing to follow. */

export function followKeys(_socket: object): void {}
