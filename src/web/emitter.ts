/**
 * What Node's EventEmitter is to the shared sources, which call its methods on sockets: the events of the package of the
 * same name would be a twentieth of the whole file.
 */

// biome-ignore lint/suspicious/noExplicitAny: as Node declares it
type Listener = ((...args: any[]) => void) & { listener?: Listener };
type Name = string | symbol;

const all = new WeakMap<object, Map<Name, readonly Listener[]>>();
const limits = new WeakMap<object, number>();

/** Called on the object that emits, as Node's is. */
export function EventEmitter(this: object): void {
  all.set(this, new Map());
}

function listenersOf(emitter: object): Map<Name, readonly Listener[]> {
  return all.get(emitter) as Map<Name, readonly Listener[]>;
}

/** @param first before those that are there */
function add(emitter: Emitting, name: Name, listener: Listener, first: boolean): object {
  const listeners = listenersOf(emitter);
  if (name !== "newListener" && listeners.has("newListener"))
    emitter.emit("newListener", name, listener.listener ?? listener);
  const before = listeners.get(name) ?? [];
  const after = first ? [listener, ...before] : [...before, listener];
  listeners.set(name, after);
  const most = emitter.getMaxListeners();
  if (most > 0 && after.length === most + 1)
    console.warn(
      `${after.length} listeners for "${String(name)}" on one socket: is one added again and again?`,
    );
  return emitter;
}

function once(emitter: Emitting, name: Name, listener: Listener): Listener {
  let called = false;
  const wrapper: Listener = (...args) => {
    if (called) return; // by an emit inside another one
    called = true;
    emitter.removeListener(name, wrapper);
    listener.apply(emitter, args);
  };
  wrapper.listener = listener;
  return wrapper;
}

interface Emitting {
  on(name: Name, listener: Listener): object;
  prependListener(name: Name, listener: Listener): object;
  removeListener(name: Name, listener: Listener): object;
  emit(name: Name, ...args: unknown[]): boolean;
  getMaxListeners(): number;
}

EventEmitter.defaultMaxListeners = 10;

EventEmitter.prototype = {
  on(this: Emitting, name: Name, listener: Listener): object {
    return add(this, name, listener, false);
  },

  prependListener(this: Emitting, name: Name, listener: Listener): object {
    return add(this, name, listener, true);
  },

  once(this: Emitting, name: Name, listener: Listener): object {
    return this.on(name, once(this, name, listener));
  },

  prependOnceListener(this: Emitting, name: Name, listener: Listener): object {
    return this.prependListener(name, once(this, name, listener));
  },

  removeListener(this: Emitting, name: Name, listener: Listener): object {
    const listeners = listenersOf(this);
    const before = listeners.get(name) ?? [];
    const at = before.findLastIndex((one) => one === listener || one.listener === listener);
    if (at < 0) return this;
    if (before.length === 1) listeners.delete(name);
    else listeners.set(name, before.toSpliced(at, 1));
    if (listeners.has("removeListener")) this.emit("removeListener", name, before[at].listener ?? listener);
    return this;
  },

  removeAllListeners(this: Emitting, name: Name): object {
    const listeners = listenersOf(this);
    if (!listeners.has("removeListener")) listeners.delete(name);
    else
      for (const listener of [...(listeners.get(name) ?? [])].reverse()) this.removeListener(name, listener);
    return this;
  },

  emit(this: object, name: Name, ...args: unknown[]): boolean {
    const listeners = listenersOf(this).get(name);
    if (listeners === undefined) {
      if (name === "error") throw args[0];
      return false;
    }
    for (const listener of listeners) listener.apply(this, args);
    return true;
  },

  listenerCount(this: object, name: Name): number {
    return listenersOf(this).get(name)?.length ?? 0;
  },

  listeners(this: object, name: Name): Listener[] {
    return (listenersOf(this).get(name) ?? []).map((one) => one.listener ?? one);
  },

  rawListeners(this: object, name: Name): Listener[] {
    return [...(listenersOf(this).get(name) ?? [])];
  },

  eventNames(this: object): Name[] {
    return [...listenersOf(this).keys()];
  },

  setMaxListeners(this: object, count: number): object {
    limits.set(this, count);
    return this;
  },

  getMaxListeners(this: object): number {
    return limits.get(this) ?? EventEmitter.defaultMaxListeners;
  },
};
