/** Stands for core/roster.ts, the list of sockets for those who watch a process: nobody watches a page. */
export function enlist(): null {
  return null;
}
