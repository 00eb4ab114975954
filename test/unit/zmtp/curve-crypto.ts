/** The crypto library that handshakes are handed in: the one that sessions use. */
import { loadCrypto } from "../../../src/security/crypto/crypto.js";
import type { CurveCrypto } from "../../../src/wire/zmtp/mechanisms/mechanism.js";

export async function curveCrypto(): Promise<CurveCrypto> {
  return (await loadCrypto()).curve;
}
