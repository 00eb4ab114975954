/** Memory that a program gave away: what a view says of itself is not always true (base/message.ts). */
import { expect, it } from "vitest";
import { bytesNow } from "../../src/base/message.js";

const SIZE = 65536;

function view(resizable: boolean): Uint8Array<ArrayBuffer> {
  const Memory = ArrayBuffer as unknown as new (bytes: number, options?: object) => ArrayBuffer;
  return new Uint8Array(
    resizable ? new Memory(SIZE, { maxByteLength: SIZE }) : new ArrayBuffer(SIZE),
    8,
    SIZE - 8,
  );
}

it("a view whose memory was transferred or resized has no bytes, also in compiled code that has seen both kinds", () => {
  let whole = 0;
  let gone = 0;
  for (let round = 0; round < 2000; round++) {
    const resizable = round % 2 === 1;
    const one = view(resizable);
    for (let i = 0; i < 200; i++) if (bytesNow(one) === SIZE - 8) whole++;
    if (resizable) (one.buffer as ArrayBuffer & { resize(bytes: number): void }).resize(10);
    else structuredClone(one.buffer, { transfer: [one.buffer] });
    if (bytesNow(one) === 0) gone++;
  }
  expect([whole, gone]).toEqual([2000 * 200, 2000]);
});
