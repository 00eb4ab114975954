/**
 * The crypto library as sessions use it: loaded once per thread, when the first connection needs it. Knows neither
 * sockets nor mechanisms.
 */

import type { FrameLimits } from "../../wire/frame-limits.js";
import type { CipherKeys, CurveCrypto } from "../../wire/zmtp/mechanisms/mechanism.js";
import { CurveOperations } from "./curve-crypto.js";
import { Heap } from "./heap.js";
import { MessageOpener } from "./message-opener.js";
import { MessageSealer } from "./message-sealer.js";
import { loadSodium, type NativeSodium } from "./sodium.js";

export class Crypto {
  /** For handshakes. */
  readonly curve: CurveCrypto;
  /** Whether long boxes are made natively. */
  readonly native: boolean;
  readonly #heap: Heap;
  readonly #sodium: NativeSodium | null;

  constructor(heap: Heap, native: NativeSodium | null) {
    this.curve = new CurveOperations(heap);
    this.native = native !== null;
    this.#heap = heap;
    this.#sodium = native;
  }

  /** @internal for tests: what is left in the memory that all connections share */
  get memory(): Uint8Array {
    return this.#heap.memory;
  }

  /** For what a connection sends after its handshake. */
  sealer({ key, asServer, sent }: CipherKeys): MessageSealer {
    return new MessageSealer({ heap: this.#heap, native: this.#sodium, key, asServer }, sent);
  }

  /** For what it receives. */
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
 * Loads the library; about 20 ms the first time. ZWIRE_CRYPTO=portable leaves the native build out.
 * @throws (rejects) where the package libsodium does not load
 */
export function loadCrypto(): Promise<Crypto> {
  loading ??= newCrypto(process.env.ZWIRE_CRYPTO === "portable").then((crypto) => {
    loaded = crypto;
    return crypto;
  });
  return loading;
}

/** A library with memory of its own. @param portable without the native build */
export async function newCrypto(portable: boolean): Promise<Crypto> {
  const { wasm, native } = await loadSodium(portable);
  return new Crypto(new Heap(wasm), native);
}
