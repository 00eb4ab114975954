/**
 * Proxy with zeromq.js's members over the core's. While it runs it has both sockets to itself, and at the end it closes
 * them.
 */
// biome-ignore-all lint/complexity/noArguments: zeromq.js counts what its calls are given
import { Proxy as Core } from "../proxy.js";
import { checkCount } from "./arguments.js";
import { calling, failure, translated } from "./errors.js";
import { hold } from "./process-end.js";
import { internalsOf, type Socket } from "./socket.js";
import type { SocketState } from "./state.js";

function checkObject(value: unknown, name: string): void {
  if (typeof value !== "object" || value === null) throw new TypeError(`${name} must be a socket object`);
}

export class Proxy<F extends Socket = Socket, B extends Socket = Socket> {
  readonly #frontEnd: F;
  readonly #backEnd: B;
  readonly #front: SocketState;
  readonly #back: SocketState;
  /** Only while it runs. */
  #core: Core | null = null;

  /** @throws TypeError for what is no object, Error for one that is no socket */
  constructor(frontEnd: F, backEnd: B) {
    checkObject(frontEnd, "Front-end");
    checkObject(backEnd, "Back-end");
    checkCount(arguments.length, 2);
    const [front, back] = [internalsOf(frontEnd), internalsOf(backEnd)];
    if (front === undefined || back === undefined) throw new Error("Invalid argument");
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
   * Pass messages on, both ways where both sockets can, until terminate(); then both sockets are closed.
   * @throws Error EINVAL for a socket that is not bound or connected, and for two between which no message can go;
   * EBUSY for one that another proxy has
   */
  run(): Promise<void> {
    const ends = [this.#front, this.#back];
    if (this.#front.endpoints === 0 || this.#front.core.closed)
      throw failure("EINVAL", "Front-end socket must be bound or connected");
    if (this.#back.endpoints === 0 || this.#back.core.closed)
      throw failure("EINVAL", "Back-end socket must be bound or connected");
    for (const end of ends) end.requireFree();
    const core = calling(() => new Core(this.#front.core, this.#back.core));
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

  /** Pass nothing on until resume(). @throws Error EBADF when it does not run */
  pause(): void {
    this.#running.pause();
  }

  /** Undo pause(). @throws Error EBADF when it does not run */
  resume(): void {
    this.#running.resume();
  }

  /** End run(). @throws Error EBADF when it does not run */
  terminate(): void {
    this.#running.terminate();
  }

  get #running(): Core {
    if (this.#core === null) throw failure("EBADF");
    return this.#core;
  }
}
