/** Stands for security/crypto/x25519.ts: a page has libsodium, once it is loaded. */
import { ZmqError } from "../../../../base/errors.js";
import type { Buffer } from "../../../../base/platform.js";
import { loadCrypto, loadedCrypto } from "./crypto.js";

/**
 * Loads the code for CURVE, a file beside this one. Await it before the first use of keys: `curveKeyPair()`, and options and
 * settings with CURVE keys. Rejects if the file cannot be fetched.
 */
export async function loadCurve(): Promise<void> {
  await loadCrypto();
}

/** The public key that belongs to a secret key. @throws ZmqError EINVAL before loadCurve() */
export function publicKeyOf(secretKey: Uint8Array): Buffer {
  const crypto = loadedCrypto();
  if (crypto === undefined)
    throw new ZmqError("EINVAL", {
      detail: "in a page, await loadCurve() before the first use of CURVE keys: it fetches the code for them",
    });
  return crypto.curve.publicKey(secretKey) as Buffer;
}
