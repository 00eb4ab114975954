/**
 * The object whose methods are those of a server. Names are joined by dots; `$` stands for the client itself. `then` and
 * `toJSON` are never methods, because JavaScript would take the object for a promise, or call them to print it.
 */
import { inspect } from "../../base/platform.js";
import { checkCallOptions } from "../options.js";
import type { CallOptions } from "../types.js";

/** What a remote needs of its client. */
export interface RemoteClient {
  readonly endpoints: readonly string[];
  start(name: string, args: readonly unknown[] | undefined, options: CallOptions | undefined): unknown;
  stream(name: string, args: readonly unknown[] | undefined, options: CallOptions | undefined): unknown;
  close(): Promise<void>;
}

/** Names that JavaScript looks up in any object. A server's method with such a name can be called by `$call`. */
const NEVER = new Set(["then", "toJSON"]);

/** @param options for each call */
export function makeRemote(client: RemoteClient, options: CallOptions | undefined): object {
  return node(client, options, "", new Map(controls(client, options)));
}

function controls(client: RemoteClient, options: CallOptions | undefined): [string | symbol, unknown][] {
  const merged = (own: CallOptions | undefined): CallOptions | undefined => {
    if (own === undefined || options === undefined) return own ?? options;
    return { ...options, ...own, headers: { ...options.headers, ...own.headers } };
  };
  const close = (): Promise<void> => client.close();
  return [
    ["$client", client],
    ["$call", (name: string, args?: unknown[], own?: CallOptions) => client.start(name, args, merged(own))],
    [
      "$stream",
      (name: string, args?: unknown[], own?: CallOptions) => client.stream(name, args, merged(own)),
    ],
    [
      "$with",
      (own: CallOptions) => {
        checkCallOptions(own);
        return makeRemote(client, merged(own));
      },
    ],
    ["$close", close],
    [Symbol.asyncDispose, close],
  ];
}

/** One object of methods. `members` holds those that were made already. */
function node(
  client: RemoteClient,
  options: CallOptions | undefined,
  prefix: string,
  members: Map<string | symbol, unknown>,
): object {
  const label = `[zwire remote ${prefix === "" ? client.endpoints.join(", ") : prefix}]`;
  members.set(Symbol.toPrimitive, () => label);
  members.set(Symbol.toStringTag, "Remote");
  const target = (): void => {};
  // console.log looks at the target, not at the proxy.
  Object.defineProperty(target, inspect.custom, { value: () => label, configurable: true });
  return new Proxy(target, {
    get(_target, name) {
      const made = members.get(name);
      if (made !== undefined) return made;
      if (typeof name === "symbol" || NEVER.has(name) || name.startsWith("$")) return undefined;
      const inner = node(client, options, prefix === "" ? name : `${prefix}.${name}`, new Map());
      members.set(name, inner);
      return inner;
    },
    apply(_target, _this, args) {
      if (prefix === "") throw new TypeError("the remote itself cannot be called; call one of its methods");
      return client.start(prefix, args, options);
    },
    has: (_target, name) => (typeof name === "string" ? !NEVER.has(name) : members.has(name)),
    set() {
      throw new TypeError("a remote's methods cannot be set");
    },
    ownKeys: () => [],
    getOwnPropertyDescriptor: () => undefined,
  });
}
