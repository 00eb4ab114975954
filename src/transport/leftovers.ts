/**
 * Files that must not outlive the process: socket files and their directories. A program that ends without closing its
 * sockets leaves none behind; one that is killed does. Knows no sockets.
 */

const leftovers = new Set<() => void>();
let watching = false;

/**
 * Calls `remove` when the process, or this worker thread, exits. Returns a function that forgets it, for when it has
 * been removed otherwise.
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
      // An exit cannot fail; a word about the file that stays is all that is left to do.
      process.stderr.write(`zwire: a socket file stays behind: ${(error as Error).message}\n`);
    }
  }
}
