/** Stands for engine/outgoing/refronted.ts: a page never has contexts of traces in front of messages. */
export function refronted(segments: Uint8Array[]): Uint8Array[] {
  return segments;
}
