/**
 * The server's side of a WebSocket handshake: judges a request (RFC 6455 §4.2; items X2, X3, X8, X15), without I/O.
 */
import { createHash } from "node:crypto";
import type { AcceptorHandler, TransportOptions } from "../contract/transport.js";
import { acceptOffer, type Compression } from "../deflate/extension.js";
import { type Head, type Headers, lists } from "./http.js";
import { choose, served, type ZwsProtocol } from "./protocols.js";

/** A request, as far as it matters. */
export interface UpgradeRequest {
  /** Path and query. */
  readonly target: string;
  readonly headers: Headers;
}

/** What a bound endpoint of a port is. */
export interface Bound {
  readonly path: string;
  readonly options: TransportOptions;
  readonly handler: AcceptorHandler;
}

/** Why a request is refused. */
export interface Refusal {
  readonly status: number;
  readonly text: string;
}

/** What is agreed on. */
export interface Agreement {
  readonly protocol: ZwsProtocol;
  /** For Sec-WebSocket-Extensions; null for none. */
  readonly extension: { readonly compression: Compression; readonly answer: string } | null;
  /** For Sec-WebSocket-Accept. */
  readonly accept: string;
  /** ZWS 1.0: the type of the peer's socket, as ZMTP spells it. */
  readonly socketType: string | null;
}

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** The answer to a client's key. */
export function acceptFor(key: string): string {
  return createHash("sha1")
    .update(key + GUID)
    .digest("base64");
}

/** The request that a head is. */
export function requestOf({ start, headers }: Head): UpgradeRequest | Refusal {
  const line = /^([A-Z]+) (\S+) HTTP\/1\.([01])$/.exec(start);
  if (line === null) return { status: 400, text: "this is not a request of HTTP/1.1" };
  if (line[1] !== "GET" || line[3] !== "1" || !line[2].startsWith("/"))
    return { status: 400, text: "a WebSocket is asked for with GET, a path and HTTP/1.1" };
  return { target: line[2], headers };
}

/** The path without the query. */
export function pathOf(target: string): string {
  return target.split("?", 1)[0];
}

/** Whether the request is for the endpoint, and what both sides agree on. */
export function judge({ target, headers }: UpgradeRequest, { options }: Bound): Agreement | Refusal {
  if (!lists(headers.upgrade, "websocket") || !lists(headers.connection, "upgrade"))
    return { status: 426, text: "this address speaks ZeroMQ over WebSockets" };
  if (headers["sec-websocket-version"] !== "13")
    return { status: 426, text: "version 13 of the WebSocket protocol is needed" };
  const key = headers["sec-websocket-key"] ?? "";
  if (!/^[A-Za-z0-9+/]{22}==$/.test(key))
    return { status: 400, text: "Sec-WebSocket-Key must be 16 bytes in Base64" };
  const refusal = originRefusal(headers.origin, options.allowedOrigins);
  if (refusal !== null) return refusal;
  const { mechanism } = options.security;
  const protocol = choose(headers["sec-websocket-protocol"] ?? "", mechanism);
  if (protocol === undefined) {
    const names = served(mechanism).map((one) => one.name);
    return { status: 400, text: `Sec-WebSocket-Protocol must list one of ${names.join(", ")}` };
  }
  const type =
    protocol.name === "ZWS1.0" ? new URLSearchParams(target.slice(pathOf(target).length)).get("type") : null;
  const socketType = type === null ? null : type.toUpperCase();
  const extension = acceptOffer(headers["sec-websocket-extensions"], options);
  return { protocol, extension, accept: acceptFor(key), socketType };
}

/** Characters of an origin that an event shows. */
const SHOWN_ORIGIN = 100;

/** Browsers say which site a page comes from; other programs do not, and could say anything. */
function originRefusal(origin: string | undefined, allowed: readonly string[] | null): Refusal | null {
  if (allowed === null || origin === undefined || allowed.includes(origin.toLowerCase())) return null;
  const shown = JSON.stringify(origin.slice(0, SHOWN_ORIGIN));
  return { status: 403, text: `pages of the origin ${shown} may not connect (allowedOrigins)` };
}

/**
 * The endpoint that a request is for: the one with its path. libzmq 4.3.5 asks for the last segment of a path only, so that
 * is enough where it fits one endpoint (X13).
 */
export function endpointFor(bound: ReadonlyMap<string, Bound>, target: string): Bound | undefined {
  const path = pathOf(target);
  const exact = bound.get(path);
  if (exact !== undefined) return exact;
  const alike = [...bound.values()].filter((one) => path.length > 1 && one.path.endsWith(path));
  return alike.length === 1 ? alike[0] : undefined;
}
