/**
 * How an `authenticate` takes back what it has said of a CURVE key, such as a folder of keys when a file is removed: the function
 * has a watch. A socket that uses it asks the watch about the keys of its peers, at the end of each handshake, and again when
 * keys have gone.
 */
import type { KeyGuard } from "./key-guard.js";

/** The property of such a function. */
const WATCH = Symbol("zwire.key-watch");

/** What an authenticator knows about keys now. */
export interface KeyWatch {
  /** Whether a peer with this public key (32 bytes) may stay, on a socket with this ZAP domain. */
  passes(publicKey: Uint8Array, domain: string): boolean;
  /** Calls a function when keys have gone. Returns what undoes it. Absent where no key ever goes: then no socket has to ask. */
  watch?(gone: () => void): () => void;
}

/** What has keys that turn away, and connections. */
interface Guarded {
  readonly keys: KeyGuard;
  recheckKeys(): number;
}

/** A socket, as far as it matters here. */
interface Follower {
  readonly keys: KeyGuard;
  readonly options: {
    readonly authenticate: unknown;
    readonly zapDomain: string;
    /** What decides, once the options have been put to use: null where every peer may enter. */
    readonly authenticator: object | null;
  };
  /** Rechecks all of its sockets: so a watch knows contexts, which are few, and no socket that may be gone. */
  readonly context: Guarded;
}

/** Whom each socket asks, the watches that tell each context, and what the ZAP handler of each context knows. */
const asked = new WeakMap<KeyGuard, Pick<KeyWatch, "passes"> | undefined>();
const handlers = new WeakMap<KeyGuard, KeyWatch["passes"]>();
const told = new WeakMap<KeyGuard, WeakSet<KeyWatch>>();

/** The watch of an `authenticate`; undefined if it takes nothing back. */
export function keyWatchOf(authenticate: unknown): KeyWatch | undefined {
  return (authenticate as { readonly [WATCH]?: KeyWatch } | null)?.[WATCH];
}

/** Adds a watch to an `authenticate`. */
export function watched<F extends object>(authenticate: F, watch: KeyWatch): F {
  return Object.defineProperty(authenticate, WATCH, { value: watch });
}

/**
 * From now on the socket drops connections whose keys its `authenticate` takes back: all of its connections, whichever one let
 * them in.
 */
export function followKeys({ keys, options, context }: Follower): void {
  const found = keyWatchOf(options.authenticate);
  const watch = found?.watch === undefined ? undefined : found;
  // It asks the ZAP handler of its context, which may come later.
  const byHandler = options.authenticator !== null && options.authenticate === null;
  if (watch === undefined && !byHandler && !asked.has(keys)) return;
  if (!asked.has(keys)) keys.add((key) => asked.get(keys)?.passes(key, options.zapDomain) ?? true);
  const passes: KeyWatch["passes"] = (key, domain) => handlers.get(context.keys)?.(key, domain) ?? true;
  asked.set(keys, byHandler ? { passes } : watch);
  if (watch === undefined) return;
  const watches = told.get(context.keys) ?? new WeakSet();
  told.set(context.keys, watches);
  if (watches.has(watch)) return;
  watches.add(watch);
  const reference = new WeakRef(context);
  const undo = watch.watch?.(() => {
    const still = reference.deref();
    if (still === undefined) undo?.();
    else still.recheckKeys();
  });
}

/**
 * What the ZAP handler of a context knows about keys, from now on: sockets that ask it drop connections whose keys do not pass,
 * at the next recheckKeys(). It is asked about no others. Returns what undoes it.
 */
export function handlerKeys({ keys }: Guarded, passes: KeyWatch["passes"]): () => void {
  handlers.set(keys, passes);
  return () => {
    if (handlers.get(keys) === passes) handlers.delete(keys);
  };
}
