/**
 * Bugs of ours that a peer's event has brought to light. They end the call that they met and are told; no event may end
 * the process. Knows no calls.
 */
import { emitWarning } from "../base/platform.js";
export class Faults {
  /** How many there were. */
  count = 0;

  /** The first is a warning of the process; a peer can repeat what it sent, so the others are only counted. */
  tell(error: unknown): void {
    if (++this.count > 1) return;
    const { stack, message } = error as Error;
    emitWarning(`an event of a peer met a bug of zwire/rpc, please report it: ${message}`, {
      code: "ZWIRE_RPC_FAULT",
      detail: stack,
    });
  }
}
