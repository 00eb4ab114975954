/**
 * Refusals that all mechanisms share: the peer's ERROR, our own, and a command that is out of place.
 */
import type { Buffer } from "../../../base/platform.js";
import { type Command, encodeError, parseCommand } from "../command.js";
import { ProtocolError, printable } from "../protocol-error.js";
import type { Verdict } from "./authentication.js";

/** Reasons that mean a refusal by the peer's authenticator (D3). */
const REFUSALS = new Set(["300", "400", "500"]);

/** The peer refuses us (D2 to D4). */
export function refusedByPeer(data: Buffer): ProtocolError {
  if (data.length === 0 || data[0] > data.length - 1) {
    return new ProtocolError("malformed-error", "an ERROR command is cut short", {
      rule: "D4",
      size: data.length,
    });
  }
  const reason = data.toString("latin1", 1, 1 + data[0]);
  if (REFUSALS.has(reason)) {
    return new ProtocolError("authentication-refused", `the peer refused us: ${reason}`, {
      rule: "D3",
      kind: "auth",
      zmqCode: Number(reason),
    });
  }
  return new ProtocolError("peer-error", `the peer refused us: "${printable(reason)}"`, { rule: "D2" });
}

/** We refuse the peer: with an ERROR that holds the status, or silently if the refusal is temporary (Q8, Q9). */
export function refusedByUs(verdict: Verdict): ProtocolError {
  const { status, text } = verdict;
  const reason = text === "" ? "" : `: "${printable(text)}"`;
  return new ProtocolError(
    "authentication-denied",
    `the authenticator refused the peer: ${status}${reason}`,
    {
      rule: status === 300 ? "Q8" : "Q9",
      kind: "auth",
      zmqCode: status,
      reply: status === 300 ? undefined : encodeError(String(status)),
    },
  );
}

/**
 * Parses a frame of the handshake.
 * @param wanted name of the only command, apart from ERROR, that may come now
 * @param rule the conformance item that says so
 * @returns what follows the command's name
 * @throws ProtocolError for any other command, ERROR included
 */
export function expectCommand(body: Buffer, wanted: string, rule: string): Buffer {
  const command = parseCommand(body);
  if (command?.name === wanted) return command.data;
  if (command?.name === "ERROR") throw refusedByPeer(command.data);
  throw unexpected(command, body.length, wanted, rule);
}

function unexpected(command: Command | undefined, size: number, wanted: string, rule: string): ProtocolError {
  const name = command === undefined ? "something that is not a command" : `"${printable(command.name)}"`;
  return new ProtocolError("unexpected-command", `${name} instead of ${wanted}`, { rule, size });
}
