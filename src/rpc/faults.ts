/**
 * Bugs in zwire/rpc that a peer's event has brought to light. Such a bug ends the call that it hit and is reported; no
 * event may end the process.
 */
import { emitWarning } from "../base/platform.js";

export class Faults {
  /** How many there were. */
  count = 0;

  /** Warns of the first one. A peer can repeat what it sent, so the others are only counted. */
  tell(error: unknown): void {
    if (++this.count > 1) return;
    const { stack, message } = error as Error;
    emitWarning(`A peer's event hit a bug in zwire/rpc, please report it: ${message}`, {
      code: "ZWIRE_RPC_FAULT",
      detail: stack,
    });
  }
}
