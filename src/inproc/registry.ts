/**
 * The inproc names of one context: the listeners that have bound them, and the connectors that wait for a name (items
 * R20 to R23). The threads of the process share the names of the default context: a name that another thread has bound
 * is reached over a stream.
 */
import { ZmqError } from "../base/errors.js";
import type { BoundEnd, ConnectingEnd } from "./ends.js";
import { Hold } from "./hold.js";
import { NameDirectory } from "./name-directory.js";

/** The bound and the awaited names of one context. */
export class InprocRegistry {
  readonly #bound = new Map<string, BoundEnd>();
  readonly #waiting = new Map<string, Set<ConnectingEnd>>();
  #directory: NameDirectory | null = null;

  /** Shares the names with the other threads of the process. */
  spanThreads(): this {
    this.#directory = new NameDirectory({
      onStream: (endpoint, stream) => {
        const listener = this.#bound.get(endpoint);
        if (listener?.open) listener.accept(stream);
        else stream.close();
      },
      onBound: (endpoint) => {
        for (const connector of [...(this.#waiting.get(endpoint) ?? [])]) this.#reach(connector);
      },
    });
    return this;
  }

  /**
   * Binds a name. Returns undefined if that is done at once, or a promise if other threads have to be asked.
   * @throws ZmqError EADDRINUSE if the name is bound already (R21). If another thread has bound it, the promise rejects
   */
  bind(listener: BoundEnd): Promise<void> | undefined {
    const { endpoint } = listener;
    if (this.#bound.has(endpoint)) {
      throw new ZmqError("EADDRINUSE", {
        address: endpoint,
        detail: "another socket of this thread has bound it",
      });
    }
    this.#bound.set(endpoint, listener);
    const contest = this.#directory?.claim(endpoint);
    if (contest === undefined) {
      this.#admit(listener);
      return undefined;
    }
    return contest.then(
      () => this.#admit(listener),
      (error) => {
        this.#bound.delete(endpoint);
        throw error;
      },
    );
  }

  #admit(listener: BoundEnd): void {
    listener.opened();
    const waiting = this.#waiting.get(listener.endpoint);
    this.#waiting.delete(listener.endpoint);
    if (waiting !== undefined) for (const connector of waiting) listener.join(connector);
  }

  /** Frees the name of a listener. */
  unbind(listener: BoundEnd): void {
    if (this.#bound.get(listener.endpoint) !== listener) return;
    this.#bound.delete(listener.endpoint);
    this.#directory?.release(listener.endpoint);
  }

  /** Connects a connector to the listener of its name, in this thread or another one. If there is none, it waits. */
  connect(connector: ConnectingEnd): void {
    const { endpoint } = connector;
    const listener = this.#bound.get(endpoint);
    if (listener?.open) {
      listener.join(connector);
      return;
    }
    let waiting = this.#waiting.get(endpoint);
    if (waiting === undefined) {
      waiting = new Set();
      this.#waiting.set(endpoint, waiting);
    }
    waiting.add(connector);
    this.#reach(connector);
  }

  #reach(connector: ConnectingEnd): void {
    if (connector.dialling) return;
    const stream = this.#directory?.connect(connector.endpoint);
    if (stream !== undefined) connector.reached(stream);
  }

  /** The connector does not wait any more. */
  forget(connector: ConnectingEnd): void {
    const waiting = this.#waiting.get(connector.endpoint);
    waiting?.delete(connector);
    if (waiting?.size === 0) this.#waiting.delete(connector.endpoint);
  }

  /** Whether a name is bound, in this thread or in another one. */
  isBound(endpoint: string): Promise<boolean> {
    if (this.#bound.get(endpoint)?.open) return Promise.resolve(true);
    return this.#directory?.isBound(endpoint) ?? Promise.resolve(false);
  }

  /** A Hold for an endpoint that waits for other threads. */
  newHold(): Hold {
    return new Hold(this.#directory);
  }
}
