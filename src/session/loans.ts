/**
 * Loans over one connection: what its peer says about them, and the limits that the frame decoder cannot check, because
 * the parts do not pass through it.
 */
import type { Runtime } from "../base/runtime.js";
import type { Assembler } from "../engine/incoming/assembler.js";
import type { Lending } from "../engine/pipe.js";
import { Borrower, type BorrowerOwner } from "../lending/borrower.js";
import { Lender } from "../lending/lender.js";
import type { OptionValues } from "../options/options.js";
import type { PeerPool, Stream } from "../transport/contract/transport.js";
import { MORE } from "../wire/frame-format.js";
import { FrameFault, type FrameLimits } from "../wire/frame-limits.js";
import type { Command } from "../wire/zmtp/command.js";
import { LEND, type LentPart, POOL, RETURN } from "../wire/zmtp/lending.js";
import { ProtocolError } from "../wire/zmtp/protocol-error.js";
import { frameFault } from "./frame-limits.js";

/** What loans need from their session. */
export interface LoansOwner {
  readonly runtime: Runtime;
  readonly stream: Stream;
  sendControl(bytes: Uint8Array): void;
  /** The peer has read something. */
  progressed(): void;
  fail(error: Error): void;
}

export class Loans implements BorrowerOwner {
  readonly lender: Lender;
  readonly #owner: LoansOwner;
  readonly #assembler: Assembler;
  readonly #options: OptionValues;
  readonly #limits: FrameLimits;
  /** null until the peer lends something, to save memory on idle connections. */
  #borrower: Borrower | null = null;

  constructor(owner: LoansOwner, assembler: Assembler, options: OptionValues, limits: FrameLimits) {
    this.#owner = owner;
    this.#assembler = assembler;
    this.#options = options;
    this.#limits = limits;
    this.lender = new Lender(owner.stream, owner.runtime);
  }

  /** The peer has offered memory; undefined if it could not be mapped. */
  offered(memory: PeerPool | undefined): void {
    this.#borrower ??= new Borrower(this);
    this.#borrower.offered(memory);
  }

  /** What the program has borrowed of the peer. */
  get borrowed(): Iterable<Lending> {
    return this.#borrower?.held() ?? [];
  }

  /** Takes a command of the peer. One that is not about loans is ignored. */
  command({ name, data }: Command): void {
    if (name === LEND) this.#lent(data);
    else if (name === RETURN) this.#returned(data);
    else if (name === POOL)
      this.#require(this.lender.answered(data), "it answers an offer that was not made");
  }

  #returned(data: Command["data"]): void {
    this.#require(this.lender.returned(data), "it returns what it has not got");
    // Batches refer to what they have lent, and nobody else may write before the program has a loan again.
    this.#owner.progressed();
  }

  #lent(data: Command["data"]): void {
    const borrower = this.#borrower;
    const part = borrower?.find(data);
    if (borrower === null || part === undefined) {
      this.#require(false, "it refers to memory that is not there");
      return;
    }
    const fault = this.#check(part);
    if (fault !== FrameFault.none) this.#owner.fail(frameFault(fault, part.length));
    else this.#assembler.frame(borrower.take(part), part.more ? MORE : 0);
  }

  /** As the decoder checks parts that pass through it; it does not count those that do not, nor does this count its own. */
  #check({ length }: LentPart): FrameFault {
    const { maxFrameBytes, maxMessageBytes, maxParts } = this.#limits;
    if (length > maxFrameBytes) return FrameFault.frameTooLarge;
    if (this.#assembler.openParts >= maxParts) return FrameFault.tooManyParts;
    return this.#assembler.openBytes + length > maxMessageBytes
      ? FrameFault.messageTooLarge
      : FrameFault.none;
  }

  #require(kept: boolean, text: string): void {
    if (kept) return;
    this.#owner.fail(
      new ProtocolError("shared-memory", `the peer broke the rules of loans: ${text}`, {
        rule: "docs/shared-memory.md",
      }),
    );
  }

  /** The connection has ended. */
  close(byPeer: boolean): void {
    this.lender.close(byPeer);
    this.#borrower?.close();
  }

  // For the borrower

  get runtime(): Runtime {
    return this.#owner.runtime;
  }

  get maxBorrowedBytes(): number {
    return this.#options.maxBorrowedBytes;
  }

  sendControl(bytes: Uint8Array): void {
    this.#owner.sendControl(bytes);
  }
}
