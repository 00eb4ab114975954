/**
 * What is used of the package libsodium (libsodium as WebAssembly, its C functions as they are). Pointers are offsets in
 * HEAPU8; a 64-bit length is two arguments, the low half first. Functions give 0 for success.
 */
declare module "libsodium" {
  export interface Libsodium {
    /** Settles when the functions are there. */
    readonly ready?: Promise<unknown>;
    /** The memory; another view when it has grown. */
    readonly HEAPU8: Uint8Array;
    /** 0 where there is no memory. */
    _malloc(bytes: number): number;
    _free(pointer: number): void;
    _sodium_init(): number;
    _crypto_scalarmult_base(publicKey: number, secretKey: number): number;
    _crypto_box_beforenm(key: number, publicKey: number, secretKey: number): number;
    _crypto_box_easy_afternm(
      box: number,
      message: number,
      low: number,
      high: number,
      nonce: number,
      key: number,
    ): number;
    _crypto_box_open_easy_afternm(
      message: number,
      box: number,
      low: number,
      high: number,
      nonce: number,
      key: number,
    ): number;
  }
  /** A new instance with memory of its own. */
  export type MakeLibsodium = (module: { getRandomValue(): number }) => Promise<Libsodium>;
  /** As an ES module a function that makes one; as CommonJS the only one, which may not be ready yet. */
  const libsodium: MakeLibsodium | Libsodium;
  export default libsodium;
}
