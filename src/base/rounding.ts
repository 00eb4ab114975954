/** Sizes of memory that is used again. */

const PAGE_BYTES = 4096;
/** Between two powers of two, so that things of similar sizes share memory. */
const STEPS = 8;

/** The last size and what it was rounded to: most messages of a program have the same size. */
let from = 0;
let to = 0;

/** A size rounded up to one of eight steps between two powers of two, of whole pages. */
export function roundedUp(bytes: number): number {
  if (bytes !== from) {
    const step = Math.max(PAGE_BYTES, 2 ** Math.floor(Math.log2(bytes)) / STEPS);
    from = bytes;
    to = Math.ceil(bytes / step) * step;
  }
  return to;
}
