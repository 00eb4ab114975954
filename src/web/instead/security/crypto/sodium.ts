/** Stands for security/crypto/sodium.ts: the build of libsodium in WebAssembly. */
import type { Sodium } from "../../../../security/crypto/sodium.js";

export type { NativeSodium, Sodium } from "../../../../security/crypto/sodium.js";

/** Loads it. */
export async function loadSodium(): Promise<Sodium> {
  const { default: libsodium } = await import("libsodium");
  const wasm =
    typeof libsodium === "function"
      ? await libsodium({ getRandomValue: () => crypto.getRandomValues(new Uint32Array(1))[0] })
      : libsodium;
  await wasm.ready;
  if (wasm._sodium_init() < 0) throw new Error("libsodium cannot be initialised");
  return { wasm, native: null };
}
