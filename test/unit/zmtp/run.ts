/** Runs a handshake over chunks and writes down all that can be seen of it, so that two runs can be compared. */
import { Handshake, type HandshakeConfig, type PeerDescription } from "../../../src/wire/zmtp/handshake.js";
import { ProtocolError } from "../../../src/wire/zmtp/protocol-error.js";

/** What a handshake did. Bytes are in hexadecimal. */
export interface Outcome {
  /** Everything to be sent, the greeting and an error's reply included. */
  readonly sent: string;
  readonly state: string;
  readonly peer?: PeerDescription;
  /** Bytes behind the handshake. */
  readonly leftover: string;
  readonly error?: {
    readonly code: string;
    readonly rule: string;
    readonly message: string;
    readonly zmqCode: number;
    readonly kind: string;
    readonly octets: number;
  };
  /** How many bytes had been handed over when it failed. Depends on how they were cut. */
  readonly failedAfter?: number;
}

/** @throws whatever is not a ProtocolError: a bug of ours */
export function runHandshake(config: HandshakeConfig, chunks: Iterable<Uint8Array>): Outcome {
  const handshake = new Handshake(config);
  const sent: Uint8Array[] = [handshake.start()];
  const leftover: Uint8Array[] = [];
  let handedOver = 0;
  let failure: ProtocolError | undefined;
  let done = false;
  for (const chunk of chunks) {
    handedOver += chunk.length;
    if (done) {
      leftover.push(chunk);
      continue;
    }
    try {
      const result = handshake.receive(chunk);
      if (result.output !== undefined) sent.push(result.output);
      done = handshake.state === "done";
      if (result.done !== done) throw new Error("done and state contradict each other");
      leftover.push(result.leftover);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      failure = error;
      if (error.reply !== undefined) sent.push(error.reply);
      break;
    }
  }
  const outcome = { sent: hex(sent), state: handshake.state, leftover: hex(leftover) };
  if (failure !== undefined) {
    const { code, rule, message, zmqCode, kind, octets } = failure;
    return { ...outcome, error: { code, rule, message, zmqCode, kind, octets }, failedAfter: handedOver };
  }
  return done ? { ...outcome, peer: handshake.peer } : outcome;
}

function hex(pieces: Uint8Array[]): string {
  return Buffer.concat(pieces).toString("hex");
}
