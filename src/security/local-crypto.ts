/** TEMPORARY until src/crypto is merged. */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
export function curveCrypto(): { random(n: number): Uint8Array; publicKey(s: Uint8Array): Uint8Array } {
  const sodium = require("sodium-native");
  return {
    random(n) {
      const b = Buffer.alloc(n);
      sodium.randombytes_buf(b);
      return b;
    },
    publicKey(s) {
      const b = Buffer.alloc(32);
      sodium.crypto_scalarmult_base(b, Buffer.from(s));
      return b;
    },
  };
}
