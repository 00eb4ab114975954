/**
 * ZWS (RFC 45) in terms of ZMTP: the flags of a message, and what stands for greeting, READY and commands where a
 * sub-protocol has none. For WebSockets of ours and of browsers.
 */
import { Buffer } from "../../base/platform.js";
import * as frameFormat from "../../wire/frame-format.js";
import { type Command, encodeCommand } from "../../wire/zmtp/command.js";
import { encodeGreeting } from "../../wire/zmtp/greeting.js";
import { encodeMetadata, getProperty, parseMetadata } from "../../wire/zmtp/metadata.js";
import type { ZwsProtocol } from "./protocols.js";

// Constants of this module: see frame-format.ts.
const { COMMAND, MORE } = frameFormat;

/** The flags of ZWS (RFC 45 §Framing). */
export const ZWS_MORE = 0x01;
export const ZWS_COMMAND = 0x02;

/** The minor version of ZMTP in a greeting. */
const MINOR_AT = 11;
const EMPTY: Buffer = Buffer.alloc(0);

/** The flags of ZWS for those of ZMTP. */
export function zwsFlags(zmtp: number): number {
  return (zmtp & COMMAND) === 0 ? zmtp & MORE : ZWS_COMMAND;
}

/** The flags of ZMTP for those of ZWS. A command has no MORE (E6). */
export function zmtpFlags(zws: number): number {
  return (zws & ZWS_COMMAND) !== 0 ? COMMAND : (zws & ZWS_MORE) !== 0 ? MORE : 0;
}

/** The greeting that a sub-protocol stands for. */
export function greetingOf({ mechanism, style }: ZwsProtocol): Buffer {
  const greeting = encodeGreeting(mechanism, false);
  if (style !== "zmtp31") greeting[MINOR_AT] = 0;
  return greeting;
}

/**
 * Without commands, the first message is the peer's identity: a READY with what is known of the peer.
 * @param payload with the flags before the identity
 * @param socketType null where the peer does not tell it
 * @returns undefined if it is no identity
 */
export function readyOf(payload: Buffer, socketType: string | null): Buffer | undefined {
  if (payload[0] !== 0) return undefined;
  const properties: [string, Uint8Array][] = [];
  if (socketType !== null) properties.push(["Socket-Type", Buffer.from(socketType, "latin1")]);
  if (payload.length > 1) properties.push(["Identity", payload.subarray(1)]);
  return encodeCommand("READY", encodeMetadata(properties));
}

/**
 * What a command is sent as where there are none: READY is our identity (X4), and JOIN and LEAVE are as they are. null for
 * those about a handshake that does not take place, and for PING, which is the WebSocket's own.
 * @param body the command's, of which `command` has been parsed
 */
export function withoutCommands(
  command: Command,
  body: Buffer,
): { readonly flags: number; readonly payload: Buffer } | null {
  if (command.name === "READY")
    return { flags: 0, payload: getProperty(parseMetadata(command.data), "Identity") ?? EMPTY };
  if (command.name === "JOIN" || command.name === "LEAVE") return { flags: ZWS_COMMAND, payload: body };
  return null;
}
