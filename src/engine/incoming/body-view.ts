/**
 * The Buffer over a received body, made as cheaply as Node can: `Buffer.from(memory, offset, length)` looks at what it
 * was given each time, and was a quarter of the cost of receiving 16 bytes. Hot path.
 */
import { Buffer } from "../../base/platform.js";

type BodyViewClass = new (memory: ArrayBuffer, offset: number, length: number) => Buffer;

/** As a class: what a constructor returns is the result of `new`. */
function bufferFrom(memory: ArrayBuffer, offset: number, length: number): Buffer {
  return Buffer.from(memory, offset, length);
}

/** The class that Node's Buffers are instances of; elsewhere, where there is none, whatever Buffer.from makes. */
function bufferClass(): BodyViewClass {
  const species = (Buffer as unknown as Record<symbol, { prototype?: unknown } | undefined>)[Symbol.species];
  // Buffer itself has the prototype, too, and calling it by `new` is deprecated.
  const usable =
    typeof species === "function" && species !== Buffer && species.prototype === Buffer.prototype;
  return (usable ? species : bufferFrom) as unknown as BodyViewClass;
}

/** `new BodyView(memory, offset, length)` is a Buffer over a part of an ArrayBuffer. */
export const BodyView: BodyViewClass = bufferClass();
