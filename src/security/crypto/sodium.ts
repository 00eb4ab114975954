/**
 * Finds and loads libsodium; the only file that does. Two builds of it: WebAssembly (package libsodium, always there),
 * and native (package sodium-native, optional). Nothing is loaded before somebody asks. Knows no protocol.
 *
 * Per box, Node 20, two busy cores, nanoseconds (WebAssembly on bytes in its own memory, native on views):
 *
 * | bytes | WebAssembly | native | @noble/ciphers |
 * |--------|-------------|--------|----------------|
 * |     17 |         265 |    555 |          9,700 |
 * |    256 |         765 |  1,270 |                |
 * |    512 |       1,300 |  1,600 |                |
 * |  1,025 |       2,320 |  1,880 |         31,000 |
 * |  4,097 |       8,450 |  4,180 |                |
 * | 65,537 |     133,000 | 39,400 |        997,000 |
 *
 * So small boxes are WebAssembly's, where a call costs little, and large ones native's, which has vector instructions.
 */
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import type { Libsodium, MakeLibsodium } from "libsodium";

/** What is used of sodium-native. The message may lie in the box, 16 bytes behind its beginning. */
export interface NativeSodium {
  crypto_secretbox_easy(box: Uint8Array, message: Uint8Array, nonce: Uint8Array, key: Uint8Array): void;
  crypto_secretbox_open_easy(
    message: Uint8Array,
    box: Uint8Array,
    nonce: Uint8Array,
    key: Uint8Array,
  ): boolean;
}

/** Both builds. */
export interface Sodium {
  readonly wasm: Libsodium;
  /** null where it does not load, or is not wanted. */
  readonly native: NativeSodium | null;
}

/** @param portable do without the native build */
export async function loadSodium(portable: boolean): Promise<Sodium> {
  const { default: libsodium } = await import("libsodium");
  const wasm = typeof libsodium === "function" ? await made(libsodium) : libsodium;
  await wasm.ready;
  if (wasm._sodium_init() < 0) throw new Error("libsodium does not initialise");
  return { wasm, native: portable ? null : nativeSodium() };
}

/** Randomness comes from Node throughout; libsodium wants a source all the same. */
function made(libsodium: MakeLibsodium): Promise<Libsodium> {
  return libsodium({ getRandomValue: () => randomBytes(4).readUInt32LE(0) });
}

function nativeSodium(): NativeSodium | null {
  try {
    // A literal require, so that bundlers see it.
    return createRequire(import.meta.url)("sodium-native") as NativeSodium;
  } catch {
    return null; // an optional dependency: everything works without it
  }
}
