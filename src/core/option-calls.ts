/** What an application sets: the fields of a constructor, and options later on. */
import { meant } from "../base/nearest.js";
import { emitWarning } from "../base/platform.js";
import type { Pipe } from "../engine/pipe.js";
import type { OptionName, OptionValues } from "../options/options.js";
import { checkFields, setOption } from "../options/values.js";
import type { Strategy } from "../patterns/strategy.js";
import { Context } from "./context.js";

const INT32_MAX = 2 ** 31 - 1;

/** The socket whose options they are. */
interface Caller {
  readonly options: OptionValues;
  readonly context: Context;
  readonly pipes: ReadonlySet<Pipe>;
  readonly strategy: Pick<Strategy, "optionChanged">;
  readonly endpoints: { readonly last: string | null };
  useContext(context: Context): void;
  /** @throws ZmqError EBADF when the socket is closed */
  requireOpen(): void;
}

export class OptionCalls {
  readonly #core: Caller;
  /** Options of the type, by name. */
  names: readonly OptionName[] = [];
  /** Whether to emit a process warning when an option is set too late for existing endpoints. */
  warnsLate = true;

  constructor(core: Caller) {
    this.#core = core;
  }

  /**
   * Applies constructor fields.
   * @param names the options of the type
   * @param owner the name of the class, for error texts
   */
  apply(given: object | undefined, names: readonly OptionName[], owner: string): void {
    if (given !== undefined && (typeof given !== "object" || given === null))
      throw new TypeError("options must be an object");
    this.names = names;
    const fields = new Map<string, unknown>(Object.entries(given ?? {}));
    this.#applyContext(fields.get("context"));
    fields.delete("context");
    checkFields(fields);
    for (const [name, value] of fields) {
      if (!this.has(name)) {
        throw new TypeError(`${owner} has no option "${name}"${meant(name, names)}`);
      } else if (value !== undefined) setOption(this.#core.options, name, value);
    }
  }

  /** Before other fields, because the context has defaults for some. */
  #applyContext(value: unknown): void {
    if (value !== undefined) {
      if (!(value instanceof Context)) throw new TypeError("context must be a Context");
      this.#core.useContext(value);
    }
    const { context, options } = this.#core;
    options.ipv6 = context.ipv6;
    if (!context.blocky) options.linger = 0; // S11
    if (options.maxMessageSize === -1 && context.maxMessageSize < INT32_MAX) {
      options.maxMessageSize = context.maxMessageSize;
    }
  }

  /** Whether the type has an option of a name. */
  has(name: string): name is OptionName {
    return (this.names as readonly string[]).includes(name);
  }

  /** @throws ZmqError EBADF on a closed socket (U4), and errors of the option for a value that it refuses */
  set(name: OptionName, value: unknown): void {
    this.#core.requireOpen();
    if (setOption(this.#core.options, name, value)) {
      for (const pipe of this.#core.pipes) pipe.limitsChanged();
      this.#core.strategy.optionChanged();
    } else if (this.warnsLate && this.#core.endpoints.last !== null) {
      emitWarning("Socket option will not take effect until next connect/bind.");
    }
  }
}
