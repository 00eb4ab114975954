/** Events of what is no socket. The declarations use no types of `node:events`, because these differ between its versions. */
import { EventEmitter, nextTick } from "../base/platform.js";

/** @typeParam Events the argument of each event by its name */
export abstract class Telling<Events> {
  readonly #emitter = new EventEmitter();
  readonly #names: readonly (keyof Events & string)[];

  protected constructor(names: readonly (keyof Events & string)[]) {
    this.#names = names;
  }

  /** Calls a function for each event of a name. @throws TypeError for a name that there is not, and for no function */
  on<E extends keyof Events & string>(name: E, listener: (event: Events[E]) => void): this {
    this.#emitter.on(this.#checked(name), listener);
    return this;
  }

  /** As `on`, for one event. */
  once<E extends keyof Events & string>(name: E, listener: (event: Events[E]) => void): this {
    this.#emitter.once(this.#checked(name), listener);
    return this;
  }

  /** Undoes `on` or `once`. */
  off<E extends keyof Events & string>(name: E, listener: (event: Events[E]) => void): this {
    this.#emitter.off(this.#checked(name), listener);
    return this;
  }

  #checked(name: string): string {
    if ((this.#names as readonly string[]).includes(name)) return name;
    throw new TypeError(`there is no event "${name}"; there are ${this.#names.join(", ")}`);
  }

  /** @internal later, so that what a listener throws does not end in what has happened */
  protected tell<E extends keyof Events & string>(name: E, event: Events[E]): void {
    nextTick(() => void this.#emitter.emit(name, event));
  }
}
