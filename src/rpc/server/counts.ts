/**
 * What a server counts from its creation on. One object, shared by everything that counts.
 */
import type { ServerStats } from "../types.js";

export type Counts = Pick<
  ServerStats,
  "calls" | "refused" | "cancelled" | "dropped" | "late" | "undelivered"
>;

export function newCounts(): Counts {
  return { calls: 0, refused: 0, cancelled: 0, dropped: 0, late: 0, undelivered: 0 };
}
