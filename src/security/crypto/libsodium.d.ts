/**
 * The used part of the package libsodium (libsodium's C functions as WebAssembly). Pointers are offsets in HEAPU8. A
 * 64-bit length is two arguments, the low half first. Functions return 0 on success.
 */
declare module "libsodium" {
  export interface Libsodium {
    /** Resolves when the functions can be called. */
    readonly ready?: Promise<unknown>;
    /** A view of the memory. It is replaced when the memory grows. */
    readonly HEAPU8: Uint8Array;
    /** Returns 0 if there is no memory. */
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
  /** Makes a new instance with separate memory. */
  export type MakeLibsodium = (module: { getRandomValue(): number }) => Promise<Libsodium>;
  /**
   * An ES module gives a function that makes an instance. CommonJS gives the only instance, which may not be ready yet.
   */
  const libsodium: MakeLibsodium | Libsodium;
  export default libsodium;
}
