/**
 * Values of `Security` that hold secrets. Inspection, logs and JSON do not show the secrets.
 */
import { HIDDEN } from "../base/hiding.js";
import { inspect } from "../base/platform.js";

/** Inspection and JSON show `shown()` instead of the object's fields. */
abstract class Hiding {
  /** What may be shown. */
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

/**
 * A CURVE server. It always asks the authenticator. The ZAP client lets every peer in if there has never been a handler
 * (P18).
 */
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
