/** Stands for transport/registry.ts: what a page can connect to. */
import { ZmqError } from "../../../base/errors.js";
import type { Transport } from "../../../transport/contract/transport.js";
import { PageTransport } from "../../page-transport.js";

/** A page has no HTTP server to bind to. */
export type HttpEndpoint = never;

const transports: Readonly<Record<string, Transport>> = {
  ws: new PageTransport("ws"),
  wss: new PageTransport("wss"),
};

/** The browser carries the bytes, and there is no addon. */
export function streamEngine(): {
  readonly name: "portable";
  readonly loanMemory?: (bytes: number) => undefined;
} {
  return { name: "portable" };
}

/** The schemes that have a transport. */
export function schemes(): string[] {
  return Object.keys(transports);
}

/** Whether a transport has the scheme. */
export function hasTransport(scheme: string): boolean {
  return Object.hasOwn(transports, scheme);
}

/** The transport of a scheme, one of schemes(). */
export function transportFor(scheme: string): Transport {
  return transports[scheme];
}

/** A page has no datagrams. */
export function datagramsFor(): undefined {}

/** @throws ZmqError ENOTSUP: a page cannot listen */
export function httpEndpoint(): never {
  throw new ZmqError("ENOTSUP", { detail: "a page cannot listen: connect to an endpoint" });
}

/** There is only this engine. */
export function portableReason(): undefined {}

/** Nothing is bound in a page. @throws ZmqError ENOTSUP */
export const httpEndpointName = httpEndpoint;
