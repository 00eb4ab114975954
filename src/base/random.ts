/**
 * Randomness that nobody can foresee, for names that a peer must not guess.
 */
import { randomInt } from "./platform.js";

/** 32 random bits. */
export function random32(): number {
  return randomInt(2 ** 32);
}
