/** For tests of loans: filled ones, and pairs of sockets over which they are passed by reference. */
import type { Dealer, Publisher, Pull, Push } from "../../src/index.js";
import { turns, until } from "./helpers.js";
import { CAN } from "./shared-memory.js";

export const KIB = 1024;
export const MIB = KIB * KIB;

/** A loan, filled. */
export function loan(push: Push | Publisher | Dealer, size: number, i: number) {
  return push.loan(size).fill(i + 1);
}

/** What it must look like to whoever gets it. */
export const filled = (size: number, i: number): Buffer => Buffer.alloc(size, i + 1);

/** Sends loans until they are passed by reference. */
export async function lending(push: Push, pull: Pull, size = 256 * KIB): Promise<void> {
  for (let by = "copy"; CAN && by === "copy"; ) {
    await push.send(loan(push, size, 0));
    const message = await pull.borrow();
    if (pull.stats.borrowedBytes > 0) by = "reference";
    message.release();
    await turns(2);
  }
  await back(push);
}

/** Waits until no loan is out. */
export async function back(push: Push): Promise<void> {
  await until(() => push.stats.loanedBytes === 0, "all loans to be back");
}
