/**
 * The crypto library as sessions use it. It is loaded once per thread, when the first connection needs it.
 */

import type { FrameLimits } from "../../wire/frame-limits.js";
import type { CipherKeys, CurveCrypto } from "../../wire/zmtp/mechanisms/mechanism.js";
import { CurveOperations } from "./curve-crypto.js";
import { Heap } from "./heap.js";
import { MessageOpener } from "./message-opener.js";
import { MessageSealer } from "./message-sealer.js";
import { loadSodium, type NativeSodium } from "./sodium.js";

export class Crypto {
  /** The operations of handshakes. */
  readonly curve: CurveCrypto;
  /** Whether the native library seals and opens long boxes. */
  readonly native: boolean;
  readonly #heap: Heap;
  readonly #sodium: NativeSodium | null;

  constructor(heap: Heap, native: NativeSodium | null) {
    this.curve = new CurveOperations(heap);
    this.native = native !== null;
    this.#heap = heap;
    this.#sodium = native;
  }

  /** @internal for tests: the memory that all connections share */
  get memory(): Uint8Array {
    return this.#heap.memory;
  }

  /** Seals what a connection sends after its handshake. */
  sealer({ key, asServer, sent }: CipherKeys): MessageSealer {
    return new MessageSealer({ heap: this.#heap, native: this.#sodium, key, asServer }, sent);
  }

  /** Opens what a connection receives after its handshake. */
  opener({ key, asServer, received }: CipherKeys, limits: FrameLimits): MessageOpener {
    return new MessageOpener({ heap: this.#heap, native: this.#sodium, key, asServer }, received, limits);
  }
}

let loaded: Crypto | undefined;
let loading: Promise<Crypto> | undefined;

/** The library if it has been loaded already. */
export function loadedCrypto(): Crypto | undefined {
  return loaded;
}

/**
 * Loads the library, which takes about 20 ms the first time. With ZWIRE_CRYPTO=portable, the native library is not
 * used. Rejects if the package libsodium does not load.
 */
export function loadCrypto(): Promise<Crypto> {
  loading ??= newCrypto(process.env.ZWIRE_CRYPTO === "portable").then((crypto) => {
    loaded = crypto;
    return crypto;
  });
  return loading;
}

/** A new instance with separate memory. @param portable do not use the native library */
export async function newCrypto(portable: boolean): Promise<Crypto> {
  const { wasm, native } = await loadSodium(portable);
  return new Crypto(new Heap(wasm), native);
}
