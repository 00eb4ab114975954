/** Stands for base/carried.ts: a page has no OpenTelemetry that could be asked for contexts of traces. */
import type { Message, OutMessage } from "../../../base/message.js";

export const CARRIED_BYTES = 0;

export function carriedBy(_message: object): undefined {}

export function carry(_message: object, _bytes: Uint8Array): void {}

export function passOn(_from: object, _to: object): void {}

export function strip(_message: object): void {}

export function sendCarrying(message: OutMessage, send: (message: OutMessage) => boolean): boolean {
  return send(message);
}

export function sent(): Uint8Array {
  return new Uint8Array(0);
}

export function fronted(message: OutMessage): OutMessage {
  return message;
}

export function unfronted(message: Message): Message {
  return message;
}
