/**
 * libzmq's security options by number. The last one set decides the mechanism: a CURVE key selects CURVE, a user name or
 * password selects PLAIN, and resetting a server flag selects NULL. The core gets the settings when a socket binds or
 * connects, because they need not be complete before.
 */
import { Buffer } from "../../base/platform.js";
import type { SecuritySettings } from "../../security/settings.js";
import { failure } from "../errors.js";

const MECHANISM = 43;
const PLAIN_SERVER = 44;
const PLAIN_USERNAME = 45;
const PLAIN_PASSWORD = 46;
const CURVE_SERVER = 47;
const CURVE_PUBLIC_KEY = 48;
const CURVE_SECRET_KEY = 49;
const CURVE_SERVER_KEY = 50;
const ZAP_DOMAIN = 55;
const ZAP_ENFORCE_DOMAIN = 93;

/** The options by kind. A flag can also be set as a 32-bit number. */
const FLAGS: readonly number[] = [MECHANISM, PLAIN_SERVER, CURVE_SERVER, ZAP_ENFORCE_DOMAIN];
const TEXTS: readonly number[] = [PLAIN_USERNAME, PLAIN_PASSWORD, ZAP_DOMAIN];
const KEYS: readonly number[] = [CURVE_PUBLIC_KEY, CURVE_SECRET_KEY, CURVE_SERVER_KEY];
const OURS: ReadonlySet<number> = new Set([...FLAGS, ...TEXTS, ...KEYS]);

const TEXT_MAX = 255;

/** Mechanisms by libzmq's number. */
const MECHANISMS = ["null", "plain", "curve"] as const;

type Value = number | boolean | string | Uint8Array | null;

/** The part of the core that gets the settings. */
export interface SecuredCore {
  security: SecuritySettings;
  zapEnforceDomain: boolean;
}

/** Converts text or bytes to a key; throws if it is not a key. */
export type KeyParser = (value: string | Uint8Array) => string;

/** The security settings of one socket. */
export class SecurityStore {
  #mechanism: (typeof MECHANISMS)[number] = "null";
  #server = false;
  readonly #texts = new Map<number, string>();
  #enforce = false;
  #set = false;
  readonly #parseKey: KeyParser;

  /** @param parseKey checks a key and returns its Z85 text */
  constructor(parseKey: KeyParser) {
    this.#parseKey = parseKey;
  }

  /** Whether an option is stored here. */
  owns(id: number): boolean {
    return OURS.has(id);
  }

  /** Value of an option; a flag as a number. @throws Error EINVAL */
  get(kind: string, id: number): number | string | null {
    const flag = FLAGS.includes(id);
    if (flag !== (kind === "Bool" || kind === "Int32" || kind === "Uint32")) throw failure("EINVAL");
    if (!flag && kind !== "String") throw failure("EINVAL");
    if (!flag) {
      const text = this.#texts.get(id);
      if (text === undefined && KEYS.includes(id)) throw failure("EINVAL");
      return text ?? null;
    }
    if (id === MECHANISM) return MECHANISMS.indexOf(this.#mechanism);
    if (id === ZAP_ENFORCE_DOMAIN) return Number(this.#enforce);
    return Number(this.#server && this.#mechanism === (id === PLAIN_SERVER ? "plain" : "curve"));
  }

  /** @throws Error EINVAL */
  set(kind: string, id: number, value: Value): void {
    if (FLAGS.includes(id)) this.#setFlag(kind, id, Number(value));
    else if (kind !== "String") throw failure("EINVAL");
    else if (KEYS.includes(id)) this.#setKey(id, value as string | Uint8Array | null);
    else this.#setText(id, value as string | Uint8Array | null);
    this.#set = true;
  }

  #setFlag(kind: string, id: number, value: number): void {
    const sized = kind === "Bool" || kind === "Int32" || kind === "Uint32";
    if (id === MECHANISM || !sized) throw failure("EINVAL");
    if (id === ZAP_ENFORCE_DOMAIN) {
      this.#enforce = value !== 0;
      return;
    }
    if (value !== 0 && value !== 1) throw failure("EINVAL");
    this.#server = value === 1;
    this.#mechanism = value === 0 ? "null" : id === PLAIN_SERVER ? "plain" : "curve";
  }

  #setText(id: number, value: string | Uint8Array | null): void {
    const none = value === null || (value instanceof Uint8Array && value.length === 0);
    if (none && id !== ZAP_DOMAIN) {
      this.#mechanism = "null";
      return;
    }
    const text = none ? "" : Buffer.from(value as string).toString();
    if (text === "" || Buffer.byteLength(text) > TEXT_MAX) throw failure("EINVAL");
    this.#texts.set(id, text);
    if (id === ZAP_DOMAIN) return;
    this.#server = false;
    this.#mechanism = "plain";
  }

  #setKey(id: number, value: string | Uint8Array | null): void {
    if (value === null) throw failure("EINVAL");
    this.#texts.set(id, this.#parseKey(value));
    this.#mechanism = "curve";
    if (id === CURVE_SERVER_KEY) this.#server = false;
  }

  /** Passes the settings to the core, which throws if they are not complete. */
  apply(core: SecuredCore): void {
    if (!this.#set) return;
    core.security = this.#settings();
    core.zapEnforceDomain = this.#enforce;
  }

  #settings(): SecuritySettings {
    const mechanism = this.#mechanism;
    const domain = this.#texts.get(ZAP_DOMAIN) ?? "";
    if (mechanism === "null") return { mechanism, domain };
    if (mechanism === "plain") {
      if (this.#server) return { mechanism, server: true, domain };
      const [username = "", password = ""] = [PLAIN_USERNAME, PLAIN_PASSWORD].map((id) =>
        this.#texts.get(id),
      );
      return { mechanism, username, password };
    }
    // A server needs no public key: libzmq accepts any value for it.
    const secretKey = this.#texts.get(CURVE_SECRET_KEY) as string;
    if (this.#server) return { mechanism, server: true, secretKey, domain };
    const serverKey = this.#texts.get(CURVE_SERVER_KEY) as string;
    return { mechanism, serverKey, publicKey: this.#texts.get(CURVE_PUBLIC_KEY), secretKey };
  }
}
