/**
 * Files that must not outlive the process: socket files and their directories. They are removed even if a program ends
 * without closing its sockets, but not if it is killed.
 */

const leftovers = new Set<() => void>();
let watching = false;

/**
 * Calls `remove` when the process, or this worker thread, exits.
 * @returns a function that cancels this, for when the file has been removed earlier
 */
export function removeAtExit(remove: () => void): () => void {
  if (!watching) {
    watching = true;
    process.on("exit", removeAll);
  }
  leftovers.add(remove);
  return () => leftovers.delete(remove);
}

function removeAll(): void {
  for (const remove of leftovers) {
    try {
      remove();
    } catch (error) {
      // An exit cannot fail, so only report the file that stays.
      process.stderr.write(`zwire: a socket file could not be removed: ${(error as Error).message}\n`);
    }
  }
}
