/**
 * Creates the Buffer over a received body as cheaply as Node can. `Buffer.from(memory, offset, length)` checks its
 * arguments each time, which was a quarter of the cost of receiving 16 bytes. Hot path.
 */
import { Buffer } from "../../base/platform.js";

type BodyViewClass = new (memory: ArrayBuffer, offset: number, length: number) => Buffer;

/** Usable as a class, because `new` gives the object that a constructor returns. */
function bufferFrom(memory: ArrayBuffer, offset: number, length: number): Buffer {
  return Buffer.from(memory, offset, length);
}

/** The class that creates Node's Buffers; on other runtimes, a function that calls Buffer.from. */
function bufferClass(): BodyViewClass {
  const species = (Buffer as unknown as Record<symbol, { prototype?: unknown } | undefined>)[Symbol.species];
  // Buffer itself has the prototype, too, and calling it by `new` is deprecated.
  const usable =
    typeof species === "function" && species !== Buffer && species.prototype === Buffer.prototype;
  return (usable ? species : bufferFrom) as unknown as BodyViewClass;
}

/** `new BodyView(memory, offset, length)` is a Buffer over a part of an ArrayBuffer. */
export const BodyView: BodyViewClass = bufferClass();
