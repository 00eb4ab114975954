/**
 * NULL (RFC 37 §The NULL Security Mechanism): both sides say READY at once (C1), or ERROR. Knows
 * no framing, and not which properties are acceptable.
 */
import { encodeCommand, parseCommand } from "../command.js";
import { encodeMetadata, type Metadata, parseMetadata } from "../metadata.js";
import { ProtocolError, printable } from "../protocol-error.js";
import type { Mechanism } from "./mechanism.js";

/** Status texts that stand for a refusal by the peer's authenticator (D3). */
const REFUSALS = new Set(["300", "400", "500"]);

/** Our side of NULL. */
export class NullMechanism implements Mechanism {
  readonly name = "NULL";
  readonly asServer = false; // B3
  done = false;
  peerMetadata: Metadata = new Map();
  readonly #ready: Buffer;

  /**
   * @param properties what our READY says
   * @throws RangeError for a property that has no encoding
   */
  constructor(properties: Iterable<readonly [string, Uint8Array]>) {
    this.#ready = encodeCommand("READY", encodeMetadata(properties));
  }

  start(): Buffer {
    return this.#ready;
  }

  receive(body: Buffer): undefined {
    const command = parseCommand(body);
    if (command?.name === "READY") {
      this.peerMetadata = parseMetadata(command.data);
      this.done = true;
    } else if (command?.name === "ERROR") {
      throw parseError(command.data);
    } else {
      const name = command === undefined ? "octets that are no command" : `"${printable(command.name)}"`;
      throw new ProtocolError("unexpected-command", `${name} instead of READY`, {
        rule: "C2",
        octets: body.length,
      });
    }
    return undefined;
  }
}

/** The peer refuses us (D2 to D4). */
function parseError(data: Buffer): ProtocolError {
  if (data.length === 0 || data[0] > data.length - 1) {
    return new ProtocolError("malformed-error", "an ERROR command is cut short", {
      rule: "D4",
      octets: data.length,
    });
  }
  const reason = data.toString("latin1", 1, 1 + data[0]);
  if (REFUSALS.has(reason)) {
    return new ProtocolError("authentication-refused", `the peer refused us: ${reason}`, {
      rule: "D3",
      kind: "auth",
    });
  }
  return new ProtocolError("peer-error", `the peer refused us: "${printable(reason)}"`, { rule: "D2" });
}
