/**
 * Two counts of the same stream of bytes: as the session writes it, and as it goes through the transport, where a short
 * command stands for a long part. What a peer has not taken is known in the second count, and wanted in the first.
 */
export class Positions {
  /** How far each count is. */
  plain = 0;
  carried = 0;
  /** Where parts were replaced, oldest first: the counts in front of each and behind it. */
  readonly #marks: { readonly plain: number; readonly plainEnd: number; readonly carriedEnd: number }[] = [];

  /** The difference of the counts in front of all marks. */
  #base = 0;

  /** Bytes that are the same in both. */
  pass(bytes: number): void {
    this.plain += bytes;
    this.carried += bytes;
  }

  /** `plain` bytes for which `carried` bytes stand. */
  replace(plain: number, carried: number): void {
    const from = this.plain;
    this.plain += plain;
    this.carried += carried;
    this.#marks.push({ plain: from, plainEnd: this.plain, carriedEnd: this.carried });
  }

  /** The plain count at a carried one. A part whose command is not complete is not there. */
  plainAt(carried: number): number {
    const marks = this.#marks;
    let low = 0;
    let high = marks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (marks[middle].carriedEnd <= carried) low = middle + 1;
      else high = middle;
    }
    const last = marks[low - 1];
    const next = low < marks.length ? marks[low].plain : this.plain;
    const difference = last === undefined ? this.#base : last.plainEnd - last.carriedEnd;
    return Math.min(next, carried + difference);
  }

  /** Nobody will ask for a carried count below this one. */
  forget(carried: number): void {
    const marks = this.#marks;
    let passed = 0;
    while (passed < marks.length && marks[passed].carriedEnd <= carried) passed++;
    if (passed === 0) return;
    const last = marks[passed - 1];
    this.#base = last.plainEnd - last.carriedEnd;
    marks.splice(0, passed);
  }

  /** Counts anew from here: everything in front of it was the same, or will not be asked for. */
  restart(at: number): void {
    this.plain = at;
    this.carried = at;
    this.#marks.length = 0;
    this.#base = 0;
  }
}
