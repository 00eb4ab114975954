/** Stands for lending/loan-pool.ts: a page has no memory that other programs can map, so every loan is ordinary memory. */
import { LEAST_LENT_BYTES } from "../../../base/lent.js";
import { Buffer } from "../../../base/platform.js";
import type { Loan, LoanPool as Original } from "../../../lending/loan-pool.js";

export type { Loan, PoolOwner } from "../../../lending/loan-pool.js";

/** A message has no loans in it. */
export function sendable<M>(message: M): M {
  return message;
}

/** Never called, because sendable() finds nothing. */
export function handedOver(): void {}

export class LoanPool implements Omit<Original, "freed"> {
  readonly loanedBytes = 0;
  copied = 0;

  *given(): ReturnType<Original["given"]> {}

  possible(): boolean {
    return false;
  }

  loan(bytes: number): Loan {
    if (bytes >= LEAST_LENT_BYTES) this.copied++;
    return Object.assign(Buffer.alloc(bytes), { release() {}, [Symbol.dispose]() {} }) as unknown as Loan;
  }

  tryLoan(bytes: number): Loan {
    return this.loan(bytes);
  }

  close(): void {}
}
