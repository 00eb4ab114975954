/** What tests of streams share: a handler that keeps all that it hears, and limits that no test reaches. */
import type { FrameLimits, StreamHandler } from "../../src/transport/contract/transport.js";

export const WIDE: FrameLimits = {
  maxFrameBytes: 2 ** 31 - 1,
  maxCommandBytes: 2 ** 20,
  maxParts: 65536,
  maxMessageBytes: 2 ** 31 - 1,
};

/** Remembers all that a stream says, and lets a test wait for it. */
export class Recorder implements StreamHandler {
  bytes: Buffer[] = [];
  frames: { flags: number; body: Buffer }[] = [];
  drains = 0;
  ends: { error?: string; fault: number; pending: number; octets: number }[] = [];
  /** Called inside the callbacks that bring frames. */
  onFrame: (() => void) | null = null;

  onBytes(chunk: Buffer): void {
    this.bytes.push(chunk);
  }

  onFrames(chunk: Buffer, table: Uint32Array, count: number): void {
    for (let i = 0; i < count * 3; i += 3) {
      this.frames.push({ flags: table[i + 2], body: chunk.subarray(table[i], table[i] + table[i + 1]) });
    }
    this.onFrame?.();
  }

  onLargeFrame(body: Buffer, flags: number): void {
    this.frames.push({ flags, body });
    this.onFrame?.();
  }

  onDrain(): void {
    this.drains++;
  }

  onClose(error: NodeJS.ErrnoException | undefined, fault: number, pending: number, octets: number): void {
    this.ends.push({ error: error?.code, fault, pending, octets });
  }
}
