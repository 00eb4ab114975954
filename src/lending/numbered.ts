/**
 * Things with numbers, which are used again. Arrays, because a Map that things enter and leave gets a new table now and
 * then, and its old one, once it is old, makes young collections keep what has left.
 */
export class Numbered<T> {
  readonly #things: (T | undefined)[] = [];
  readonly #free: number[] = [];

  /** @returns its number */
  add(thing: T): number {
    const number = this.#free.pop() ?? this.#things.length;
    this.#things[number] = thing;
    return number;
  }

  /** The thing of this number, which is free now; undefined if there is none. */
  take(number: number): T | undefined {
    const thing = this.#things[number];
    if (thing === undefined) return undefined;
    this.#things[number] = undefined;
    this.#free.push(number);
    return thing;
  }

  *all(): Generator<T> {
    for (const thing of this.#things) if (thing !== undefined) yield thing;
  }

  clear(): void {
    this.#things.length = 0;
    this.#free.length = 0;
  }
}
