/**
 * Proxy with zeromq.js's members over the core's. While it runs, it uses both sockets exclusively; at the end it closes
 * them.
 */
// biome-ignore-all lint/complexity/noArguments: zeromq.js counts what its calls are given
import { Proxy as Core } from "../api/proxy.js";
import { checkCount } from "./arguments.js";
import { calling, failure, translated } from "./errors.js";
import { isNative, nativeClass, recognise } from "./native-class.js";
import { hold } from "./process-end.js";
import { internalsOf, type Socket } from "./socket.js";
import type { SocketState } from "./state.js";

function checkObject(value: unknown, name: string): void {
  if (typeof value !== "object" || value === null) throw new TypeError(`${name} must be a socket object`);
}

function hasEndpoints(state: SocketState | undefined): state is SocketState {
  return state !== undefined && state.endpoints > 0 && !state.core.closed;
}

export class ProxyClass<F extends Socket = Socket, B extends Socket = Socket> {
  readonly #frontEnd: F;
  readonly #backEnd: B;
  /** Undefined for an object of another class: zeromq.js accepts it, but cannot run it. */
  readonly #front: SocketState | undefined;
  readonly #back: SocketState | undefined;
  /** Set only while the proxy runs. */
  #core: Core | null = null;

  static {
    recognise((value) => #frontEnd in value);
  }

  /** @throws TypeError if it is not an object, Error if no class of this entry created it */
  constructor(frontEnd: F, backEnd: B) {
    checkObject(frontEnd, "Front-end");
    checkObject(backEnd, "Back-end");
    checkCount(arguments.length, 2);
    const [front, back] = [internalsOf(frontEnd), internalsOf(backEnd)];
    if (!isNative(frontEnd) || !isNative(backEnd)) throw new Error("Invalid argument");
    this.#frontEnd = frontEnd;
    this.#backEnd = backEnd;
    this.#front = front;
    this.#back = back;
    Object.seal(this);
  }

  get frontEnd(): F {
    return this.#frontEnd;
  }

  get backEnd(): B {
    return this.#backEnd;
  }

  /**
   * Forward messages until terminate(), in both directions if both sockets can; then close both sockets.
   * @throws Error EINVAL if a socket is not bound or connected, or if no message can pass between the two; EBUSY if another
   * proxy uses one of them
   */
  run(): Promise<void> {
    const [front, back] = [this.#front, this.#back];
    if (!hasEndpoints(front)) throw failure("EINVAL", "Front-end socket must be bound or connected");
    if (!hasEndpoints(back)) throw failure("EINVAL", "Back-end socket must be bound or connected");
    const ends = [front, back];
    for (const end of ends) end.requireFree();
    const core = calling(() => new Core(front.socket, back.socket));
    for (const end of ends) end.take("proxy");
    this.#core = core;
    return this.#run(core, ends);
  }

  async #run(core: Core, ends: readonly SocketState[]): Promise<void> {
    hold(1);
    try {
      await core.run();
    } catch (error) {
      throw translated(error);
    } finally {
      hold(-1);
      this.#core = null;
      for (const end of ends) {
        end.release();
        end.close();
      }
    }
  }

  /** Stop forwarding until resume(). @throws Error EBADF if it does not run */
  pause(): void {
    this.#running.pause();
  }

  /** Undo pause(). @throws Error EBADF if it does not run */
  resume(): void {
    this.#running.resume();
  }

  /** End run(). @throws Error EBADF if it does not run */
  terminate(): void {
    this.#running.terminate();
  }

  get #running(): Core {
    if (this.#core === null) throw failure("EBADF");
    return this.#core;
  }
}

export const Proxy = nativeClass(
  ProxyClass,
  (build) =>
    function Proxy(...args: unknown[]) {
      return build(new.target, args);
    },
);
export type Proxy<F extends Socket = Socket, B extends Socket = Socket> = ProxyClass<F, B>;
