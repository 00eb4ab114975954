/**
 * Loans over one connection: what its peer says about them, and the limits that the frame decoder cannot check, because
 * the parts do not pass through it.
 */
import type { Runtime } from "../base/runtime.js";
import type { Assembler } from "../engine/incoming/assembler.js";
import { Borrower } from "../lending/borrower.js";
import { Lender } from "../lending/lender.js";
import type { OptionValues } from "../options/options.js";
import type { Stream } from "../transport/contract/transport.js";
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

export class Loans {
  readonly lender: Lender;
  readonly borrower: Borrower;
  readonly #owner: LoansOwner;
  readonly #assembler: Assembler;
  readonly #limits: FrameLimits;

  constructor(owner: LoansOwner, assembler: Assembler, options: OptionValues, limits: FrameLimits) {
    this.#owner = owner;
    this.#assembler = assembler;
    this.#limits = limits;
    const now = () => owner.runtime.now();
    this.lender = new Lender(owner.stream, now);
    this.borrower = new Borrower({
      get maxBorrowedBytes() {
        return options.maxBorrowedBytes;
      },
      sendControl: (bytes) => owner.sendControl(bytes),
      nextTick: (run) => owner.runtime.nextTick(run),
      now,
    });
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
    const part = this.borrower.find(data);
    if (part === undefined) {
      this.#require(false, "it refers to memory that is not there");
      return;
    }
    const fault = this.#check(part);
    if (fault !== FrameFault.none) this.#owner.fail(frameFault(fault, part.length));
    else this.#assembler.frame(this.borrower.take(part), part.more ? MORE : 0);
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
    this.borrower.close();
  }
}
