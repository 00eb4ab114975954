/** Ready-made functions for the option `authenticate`, and how to put them together. */
import { type AddressRange, addressMatches, parseAcceptFilter } from "../base/accept-filter.js";
import type { Buffer } from "../base/platform.js";
import type { AuthenticationRequest } from "../security/authenticator.js";
import { type Authenticate, type AuthenticationAnswer, toVerdict } from "../security/callback.js";
import { type CurveKey, parseKey } from "../security/crypto/keys.js";
import { z85Encode } from "../security/crypto/z85.js";
import { type KeyWatch, keyWatchOf, watched } from "../security/key-watch.js";
import type { Verdict } from "../wire/zmtp/mechanisms/authentication.js";
import { answerOf, type Passwords, passwordTable } from "./passwords.js";

/** What decides about peers: a function for `authenticate`, or what has one, such as a KeyDirectory. */
export type Authenticating = Authenticate | { readonly authenticate: Authenticate };

/** Peers over ipc have no address. With credentials of the process it is `localhost:uid:gid:pid`. */
const LOCAL = "localhost";

/** Addresses and networks, as a program names them. */
export class Addresses {
  readonly #ranges: AddressRange[] = [];
  #local = false;

  get empty(): boolean {
    return this.#ranges.length === 0 && !this.#local;
  }

  /** @throws TypeError, RangeError for what is no address; then none is added */
  add(addresses: readonly string[]): void {
    const ranges: AddressRange[] = [];
    for (const address of addresses) {
      if (typeof address !== "string") throw new TypeError(`address must be a string; got ${typeof address}`);
      if (address !== LOCAL) ranges.push(parseAcceptFilter(address, "address"));
    }
    this.#ranges.push(...ranges);
    this.#local ||= addresses.includes(LOCAL);
  }

  has(address: string): boolean {
    if (this.#local && (address === LOCAL || address.startsWith(`${LOCAL}:`))) return true;
    return addressMatches(this.#ranges, address);
  }
}

function addressesOf(given: readonly string[]): Addresses {
  if (given.length === 0) throw new TypeError("give one address at least");
  const addresses = new Addresses();
  addresses.add(given);
  return addresses;
}

/**
 * Lets in peers from these addresses and networks only: `"192.168.0.0/16"`, `"10.1.2.3"`, `"::1"`, and `"localhost"` for peers over
 * ipc. An address belongs to whoever sits at it: combine it with keys or passwords by `all`.
 * @throws TypeError, RangeError for what is no address
 */
function allow(...addresses: string[]): Authenticate {
  const allowed = addressesOf(addresses);
  return ({ address }) => (allowed.has(address) ? true : { status: 400, text: "address is not allowed" });
}

/** Refuses peers from these addresses and networks, and lets in all others; as `allow`. */
function deny(...addresses: string[]): Authenticate {
  const denied = addressesOf(addresses);
  return ({ address }) => (denied.has(address) ? { status: 400, text: "address is denied" } : true);
}

/**
 * Lets in who knows a password, under PLAIN. The user id is the name. passwordFile() does so by a file.
 * @param passwords by user name; each has at most 255 bytes
 * @throws TypeError, RangeError naming the user
 */
function plain(passwords: Passwords): Authenticate {
  const table = passwordTable(passwords);
  return watched((request: AuthenticationRequest) => answerOf(table, request), { passes: () => false });
}

/**
 * Lets in who has proved to have one of these keys, under CURVE. The user id is the key in Z85. keyDirectory() does so by a folder.
 * @param keys public keys: 32 bytes, or 40 characters of Z85, each
 * @throws TypeError, RangeError for what is no key
 */
function curve(keys: Iterable<CurveKey>): Authenticate {
  const known = keySet(keys);
  return watched((request: AuthenticationRequest) => keyAnswer(known, request), {
    passes: (key) => known.has(z85Encode(key)),
  });
}

/** Public keys in Z85. @throws TypeError, RangeError */
export function keySet(keys: unknown): ReadonlySet<string> {
  if (
    typeof keys !== "object" ||
    typeof (keys as Iterable<CurveKey> | null)?.[Symbol.iterator] !== "function"
  )
    throw new TypeError("keys must be an array or another iterable of public keys");
  return new Set([...(keys as Iterable<CurveKey>)].map((key) => z85Encode(parseKey("key", key))));
}

/** Whether a peer may enter, by a set of keys; undefined stands for all keys. */
export function keyAnswer(
  known: ReadonlySet<string> | undefined,
  request: AuthenticationRequest,
): AuthenticationAnswer {
  if (request.mechanism !== "CURVE") return { status: 400, text: "only CURVE has keys" };
  const key = z85Encode(request.publicKey);
  return known === undefined || known.has(key) ? key : { status: 400, text: "unknown key" };
}

/**
 * Lets in whom all of them let in. They are asked in turn, and the first refusal counts. The user id is that of the last which
 * gives one; metadata comes from all.
 * @throws TypeError for what is no authenticator
 */
function all(...parts: Authenticating[]): Authenticate {
  const each = parts.map(authenticateOf);
  if (each.length === 0) throw new TypeError("give one authenticator at least");
  const decide: Authenticate = async (request, signal) => {
    let userId = "";
    const metadata = new Map<string, Buffer>();
    for (const one of each) {
      const verdict = toVerdict(await one(request, signal));
      if (verdict.status !== 200) return { status: verdict.status, text: verdict.text };
      userId = verdict.userId || userId;
      for (const [name, value] of verdict.metadata) metadata.set(name, value);
    }
    return answerWith({ status: 200, text: "OK", userId, metadata });
  };
  const watches = each.map(keyWatchOf).filter((watch) => watch !== undefined);
  return withWatches(decide, watches, (check) => watches.every(check));
}

/**
 * Lets in whom one of them lets in. They are asked in turn, and the first that does counts; if none does, the last refusal.
 *
 * A key that leaves a keyDirectory() drops its connections only if no other part can have let them in: `plain`, `curve` and folders
 * say so, but `allow`, `deny` and functions of the program do not. Combine those by `all`.
 * @throws TypeError for what is no authenticator
 */
function any(...parts: Authenticating[]): Authenticate {
  const each = parts.map(authenticateOf);
  if (each.length === 0) throw new TypeError("give one authenticator at least");
  const decide: Authenticate = async (request, signal) => {
    let verdict: Verdict | undefined;
    for (const one of each) {
      verdict = toVerdict(await one(request, signal));
      if (verdict.status === 200) return answerWith(verdict);
    }
    return { status: verdict?.status ?? 400, text: verdict?.text ?? "" } as AuthenticationAnswer;
  };
  const watches = each.map(keyWatchOf).filter((watch) => watch !== undefined);
  // Another part, which does not say whom it lets in, may have let the peer in.
  const may = watches.length < each.length;
  return withWatches(decide, watches, (check) => may || watches.some(check));
}

function answerWith({ status, text, userId, metadata }: Verdict): AuthenticationAnswer {
  return { status, text, metadata, ...(userId === "" ? {} : { userId }) };
}

function withWatches(
  decide: Authenticate,
  watches: readonly KeyWatch[],
  passes: (check: (watch: KeyWatch) => boolean) => boolean,
): Authenticate {
  if (watches.length === 0) return decide;
  const check = (key: Uint8Array, domain: string) => passes((watch) => watch.passes(key, domain));
  if (watches.every(({ watch }) => watch === undefined)) return watched(decide, { passes: check });
  return watched(decide, {
    passes: check,
    watch: (gone) => {
      const undo = watches.map((one) => one.watch?.(gone));
      return () => {
        for (const one of undo) one?.();
      };
    },
  });
}

/** @throws TypeError */
function authenticateOf(part: unknown): Authenticate {
  const decide =
    typeof part === "function" ? part : (part as { authenticate?: unknown } | null)?.authenticate;
  if (typeof decide === "function") return decide as Authenticate;
  throw new TypeError("an authenticator must be a function, or have the function authenticate");
}

/** Ready-made values of the option `authenticate`. */
export const authenticators = Object.freeze({ allow, deny, plain, curve, all, any });
