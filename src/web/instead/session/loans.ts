/** Stands for session/loans.ts: a page shares no memory with others, so that no connection ever has any. */
import type { Lender } from "../../../lending/lender.js";

export class Loans {
  readonly lender: Lender;

  constructor() {
    throw new Error("a page passes no loans");
  }
}
