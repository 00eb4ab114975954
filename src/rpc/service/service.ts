/**
 * A service as a table of methods by name, and the built-in methods that describe it (§6).
 */
import { describe } from "../answers.js";
import type { CallContext, Method, MethodOptions } from "../types.js";
import { type Parameter, parametersOf } from "./parameters.js";

/** A handler that gets the context of its call. */
class ContextMethod<A extends unknown[], R> implements Method<A, R> {
  readonly handler: (call: CallContext, ...args: A) => R;
  readonly options: MethodOptions;

  constructor(handler: (call: CallContext, ...args: A) => R, options: MethodOptions) {
    this.handler = handler;
    this.options = options;
  }
}

/**
 * A handler that gets the context of its call as its first parameter. Clients do not see this parameter.
 * @throws TypeError if the handler is not a function
 */
export function method<A extends unknown[], R>(
  handler: (call: CallContext, ...args: A) => R,
  options: MethodOptions = {},
): Method<A, R> {
  if (typeof handler !== "function") throw new TypeError("handler must be a function");
  return new ContextMethod(handler, options);
}

/** A method that the server offers. */
export interface ServedMethod {
  readonly invoke: (call: CallContext, args: unknown[]) => unknown;
  readonly doc: string | null;
  /** The parameters, with their defaults if these are plain values. */
  readonly parameters: () => Parameter[];
}

type Table = Map<string, ServedMethod>;

/**
 * The methods of a service. Plain objects may contain other objects with methods. An instance of a class offers only
 * its functions, because its other fields are internal.
 * @throws TypeError if it is not an object, or contains itself
 */
export function methodsOf(service: unknown): Table {
  if ((typeof service !== "object" && typeof service !== "function") || service === null) {
    throw new TypeError("service must be an object");
  }
  const table: Table = new Map();
  collect(service, "", table, []);
  return table;
}

function collect(object: object, prefix: string, table: Table, above: object[]): void {
  if (above.includes(object))
    throw new TypeError(
      `service${prefix && `.${prefix.slice(0, -1)}`} contains itself: a service must not have cycles`,
    );
  const plain = isPlain(object);
  for (const [name, value] of fieldsOf(object)) {
    const path = prefix + name;
    if (value instanceof ContextMethod) table.set(path, contextMethod(object, value));
    else if (typeof value === "function") {
      if (!/^class\b/.test(Function.prototype.toString.call(value)))
        table.set(path, plainMethod(object, value as Handler));
    } else if (plain && typeof value === "object" && value !== null && mayHoldMethods(value)) {
      collect(value, `${path}.`, table, [...above, object]);
    }
  }
}

type Handler = (...args: unknown[]) => unknown;

function plainMethod(self: object, handler: Handler): ServedMethod {
  return {
    invoke: (_call, args) => handler.apply(self, args),
    doc: null,
    parameters: () => parametersOf(handler),
  };
}

function contextMethod(self: object, { handler, options }: ContextMethod<unknown[], unknown>): ServedMethod {
  return {
    invoke: (call, args) => handler.call(self, call, ...args),
    doc: options.doc ?? null,
    parameters: () => options.args?.map((name) => ({ name })) ?? parametersOf(handler as Handler).slice(1),
  };
}

/** The fields of an object and of its classes, the nearest first, without those that all objects have. */
function fieldsOf(object: object): Map<string, unknown> {
  const fields = new Map<string, unknown>();
  for (
    let at: object | null = object;
    at !== null && at !== Object.prototype && at !== Function.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (value === undefined || name.startsWith("_") || name === "constructor" || fields.has(name)) continue;
      fields.set(name, value);
    }
  }
  return fields;
}

function isPlain(object: object): boolean {
  const prototype = Object.getPrototypeOf(object);
  return prototype === Object.prototype || prototype === null;
}

function mayHoldMethods(value: object): boolean {
  return !(Array.isArray(value) || ArrayBuffer.isView(value) || value instanceof Map || value instanceof Set);
}

/**
 * The built-in methods. They are answered at once, whatever the limit on concurrency. What a server offers never
 * changes, so each answer is computed once; `keep` turns it into what is sent again and again.
 */
export class BuiltIns<T> {
  readonly #table: Table;
  readonly #serverName: string;
  readonly #keep: (value: unknown) => T;
  /** Answers by question. Only for methods that exist, so that no client can fill the map. */
  readonly #answers = new Map<string, T>();

  constructor(table: Table, serverName: string, keep: (value: unknown) => T) {
    this.#table = table;
    this.#serverName = serverName;
    this.#keep = keep;
  }

  /** The built-in method with a name, or null. It throws the error for the caller. */
  find(name: string): ((args: unknown[]) => T) | null {
    const table = this.#table;
    switch (name) {
      case "_zerorpc_ping":
        return () => this.#answer(name, () => ["pong", this.#serverName]);
      case "_zerorpc_name":
        return () => this.#answer(name, () => this.#serverName);
      case "_zerorpc_list":
        return () => this.#answer(name, () => [...table.keys()]);
      case "_zerorpc_help":
        return ([method]) => this.#about(name, method, ({ doc }) => doc);
      case "_zerorpc_args":
        return ([method]) => this.#about(name, method, argumentsOf);
      case "_zerorpc_inspect":
        return () => this.#answer(name, () => inspection(table, this.#serverName));
      default:
        return null;
    }
  }

  #about(name: string, method: unknown, tell: (served: ServedMethod) => unknown): T {
    const found = typeof method === "string" ? this.#table.get(method) : undefined;
    if (found === undefined) throw Object.assign(new Error(describe(method)), { name: "NameError" });
    return this.#answer(`${name} ${method}`, () => tell(found));
  }

  #answer(key: string, compute: () => unknown): T {
    let answer = this.#answers.get(key);
    if (answer === undefined) {
      answer = this.#keep(compute());
      this.#answers.set(key, answer);
    }
    return answer;
  }
}

/** As inspect.getargspec of Python: names, name of the rest, none for keywords, defaults of the last ones. */
function argumentsOf(method: ServedMethod): unknown[] {
  const parameters = method.parameters();
  const rest = parameters.find((one) => one.name.startsWith("..."));
  const named = parameters.filter((one) => one !== rest);
  const defaults = named.filter((one) => "default" in one).map((one) => one.default);
  return [
    named.map((one) => one.name),
    rest?.name.slice(3) ?? null,
    null,
    defaults.length === 0 ? null : defaults,
  ];
}

function inspection(table: Table, serverName: string): unknown {
  const methods: Record<string, unknown> = {};
  for (const [name, one] of table) methods[name] = { args: one.parameters(), doc: one.doc };
  return { name: serverName, methods };
}
