/**
 * Values of `Security` that hold secrets, made so that no inspection, log or JSON shows them.
 */
import { inspect } from "../base/platform.js";

/** What is shown in place of a secret. */
export const HIDDEN = "[hidden]";

/** An object with further properties that are there to be read, and not to be seen. */
export function hiding<T extends object, S extends object>(object: T, secrets: S): T & S {
  for (const [name, value] of Object.entries(secrets)) Object.defineProperty(object, name, { value });
  return Object.freeze(object) as T & S;
}

abstract class Hiding {
  /** What may be seen. */
  protected abstract shown(): object;

  toJSON(): object {
    return this.shown();
  }

  [inspect.custom](): object {
    return this.shown();
  }
}

/** A PLAIN client. */
export class PlainClient extends Hiding {
  readonly mechanism = "PLAIN";
  readonly server = false;
  readonly username: string;
  readonly #password: string;

  constructor(username: string, password: string) {
    super();
    this.username = username;
    this.#password = password;
  }

  get password(): string {
    return this.#password;
  }

  protected override shown(): object {
    return { mechanism: this.mechanism, server: false, username: this.username, password: HIDDEN };
  }
}

/** A CURVE server. It always asks: who is asked lets everybody in where no ZAP handler was ever there (P18). */
export class CurveServer extends Hiding {
  readonly mechanism = "CURVE";
  readonly server = true;
  readonly ask = true;
  readonly publicKey: Uint8Array;
  readonly #secretKey: Uint8Array;

  constructor(publicKey: Uint8Array, secretKey: Uint8Array) {
    super();
    this.publicKey = publicKey;
    this.#secretKey = secretKey;
  }

  get secretKey(): Uint8Array {
    return this.#secretKey;
  }

  protected override shown(): object {
    return { mechanism: this.mechanism, server: true, publicKey: this.publicKey, secretKey: HIDDEN };
  }
}

/** A CURVE client. */
export class CurveClient extends Hiding {
  readonly mechanism = "CURVE";
  readonly server = false;
  readonly publicKey: Uint8Array;
  readonly serverKey: Uint8Array;
  readonly #secretKey: Uint8Array;

  constructor(publicKey: Uint8Array, secretKey: Uint8Array, serverKey: Uint8Array) {
    super();
    this.publicKey = publicKey;
    this.#secretKey = secretKey;
    this.serverKey = serverKey;
  }

  get secretKey(): Uint8Array {
    return this.#secretKey;
  }

  protected override shown(): object {
    const { mechanism, publicKey, serverKey } = this;
    return { mechanism, server: false, publicKey, secretKey: HIDDEN, serverKey };
  }
}
