/**
 * Derives public keys, by Node's own X25519: a socket needs its key before connect() returns, and libsodium takes some time
 * to load.
 */
import { createPrivateKey, createPublicKey } from "node:crypto";
import { Buffer } from "../../base/platform.js";

/** The bytes before the 32 bytes of an X25519 secret key in PKCS #8. */
const PKCS8 = Buffer.from("302e020100300506032b656e04220420", "hex");

const PUBLIC_KEY_BYTES = 32;

/** The public key that belongs to a secret key. */
export function publicKeyOf(secretKey: Uint8Array): Buffer {
  const der = Buffer.concat([PKCS8, secretKey]);
  try {
    const secret = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
    return createPublicKey(secret).export({ format: "der", type: "spki" }).subarray(-PUBLIC_KEY_BYTES);
  } finally {
    der.fill(0);
  }
}
