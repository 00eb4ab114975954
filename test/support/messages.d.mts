/** Types of messages.mjs, which is plain JavaScript because child processes run it unbuilt. */

export const SYNC: Buffer;
export function isSync(parts: readonly Uint8Array[]): boolean;

export class MessageSource {
  constructor(seed: number, count: number, options?: { big?: boolean; single?: boolean });
  readonly count: number;
  index: number;
  next(): Buffer[];
}

export class MessageCheck {
  constructor(seed: number, count: number, options?: { big?: boolean; single?: boolean });
  readonly count: number;
  received: number;
  mismatch: string | null;
  readonly complete: boolean;
  take(parts: readonly Uint8Array[]): void;
}

export class OctetCheck {
  constructor(seed: number, count: number);
  received: number;
  chunks: number;
  mismatch: string | null;
  readonly complete: boolean;
  take(chunk: Uint8Array): void;
}

export function octetChunks(seed: number, count: number): Generator<Buffer, void>;
