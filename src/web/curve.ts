/** The second file of zwire/web: libsodium, and what uses it. */
export { newCrypto } from "../security/crypto/crypto.js";
