/** Random numbers from a seed: a failure is repeated by the seed. */

/**
 * Whole numbers from 0 up to, and without, the one that is asked for.
 *
 * @param seed the same seed gives the same numbers
 */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Fractions from 0 up to, and without, 1. */
export function fractionsFrom(seed: number): () => number {
  const random = randomFrom(seed);
  return () => random(2 ** 32) / 2 ** 32;
}
