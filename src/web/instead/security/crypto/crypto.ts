/** Stands for security/crypto/crypto.ts: the library for CURVE is a file of its own, which is loaded only for CURVE. */
import type { Crypto } from "../../../../security/crypto/crypto.js";

export type { Crypto };

let loaded: Crypto | undefined;
let loading: Promise<Crypto> | undefined;

/** The library if it has been loaded already. */
export function loadedCrypto(): Crypto | undefined {
  return loaded;
}

/** Loads the library, from the folder of this module. */
export function loadCrypto(): Promise<Crypto> {
  loading ??= import("../../../curve.js")
    .then(({ newCrypto }) => newCrypto(true))
    .then(
      (crypto) => {
        loaded = crypto;
        return crypto;
      },
      (error) => {
        loading = undefined; // the network may be there the next time
        throw error;
      },
    );
  return loading;
}
