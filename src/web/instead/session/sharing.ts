/** Stands for session/sharing.ts: a page shares no memory with other programs, and says nothing of it. */
import type { OptionValues } from "../../../options/options.js";
import type { Properties } from "../../../security/properties.js";
import type { Stream } from "../../../transport/contract/transport.js";
import type { Metadata } from "../../../wire/zmtp/metadata.js";

export function announce(_stream: Stream, options: OptionValues): Properties {
  return options.metadata;
}

export function agree(): void {}

export function mayPassLoans(): boolean {
  return false;
}

export function withoutAnnouncement(said: Metadata): Metadata {
  return said;
}

/** A page has no OpenTelemetry that could be asked for contexts. */
export function agreedToCarry(): boolean {
  return false;
}
