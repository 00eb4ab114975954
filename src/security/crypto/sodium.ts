/**
 * Finds and loads libsodium; no other file does. There are two builds of it: WebAssembly (package libsodium, always
 * installed) and native (package sodium-native, optional). Nothing is loaded before it is needed.
 *
 * Nanoseconds per box on Node 20 with two busy cores (WebAssembly with bytes in its own memory, native with views):
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
 * So small boxes go to WebAssembly, where a call costs little, and large ones to the native library, which has vector
 * instructions.
 */
import { randomBytes } from "node:crypto";
import * as nodeModule from "node:module";
import type { Libsodium, MakeLibsodium } from "libsodium";

/** The used part of sodium-native. The message may lie inside the box, 16 bytes after its beginning. */
export interface NativeSodium {
  crypto_secretbox_easy(box: Uint8Array, message: Uint8Array, nonce: Uint8Array, key: Uint8Array): void;
  crypto_secretbox_open_easy(
    message: Uint8Array,
    box: Uint8Array,
    nonce: Uint8Array,
    key: Uint8Array,
  ): boolean;
}

/** The builds of libsodium. */
export interface Sodium {
  readonly wasm: Libsodium;
  /** null if it does not load, or is not wanted. */
  readonly native: NativeSodium | null;
}

/** Loads the builds. @param portable do not load the native one */
export async function loadSodium(portable: boolean): Promise<Sodium> {
  const { default: libsodium } = await import("libsodium");
  const wasm = typeof libsodium === "function" ? await made(libsodium) : libsodium;
  await wasm.ready;
  if (wasm._sodium_init() < 0) throw new Error("libsodium cannot be initialised");
  return { wasm, native: portable ? null : nativeSodium() };
}

/** Makes an instance. All our randomness comes from Node, but libsodium needs a source, too. */
function made(libsodium: MakeLibsodium): Promise<Libsodium> {
  return libsodium({ getRandomValue: () => randomBytes(4).readUInt32LE(0) });
}

function nativeSodium(): NativeSodium | null {
  try {
    // Left to run time, as a whole module is to bundlers: a native package cannot be put into their output.
    return nodeModule.createRequire(import.meta.url)("sodium-native") as NativeSodium;
  } catch {
    return null; // an optional dependency: everything works without it
  }
}
