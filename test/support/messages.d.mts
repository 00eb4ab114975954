/** Types of messages.mjs, which is plain JavaScript because child processes run it unbuilt. */

export const SYNC: Buffer;
export function isSync(parts: readonly Uint8Array[]): boolean;

export class MessageSource {
  constructor(seed: number, count: number, options?: { big?: boolean });
  readonly count: number;
  index: number;
  next(): Buffer[];
}

export class MessageCheck {
  constructor(seed: number, count: number, options?: { big?: boolean });
  readonly count: number;
  received: number;
  mismatch: string | null;
  readonly complete: boolean;
  take(parts: readonly Uint8Array[]): void;
}
