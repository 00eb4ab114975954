/**
 * Which engine this process uses, and the transports by scheme. `ZWIRE_ENGINE=native|portable` forces an engine;
 * otherwise zwire uses the addon if it loads.
 */
import { ZmqError } from "../base/errors.js";
import { debuglog } from "../base/platform.js";
import type { DatagramTransport } from "./contract/datagrams.js";
import type { HttpEndpoint } from "./contract/http-server.js";
import type { StreamEngine } from "./contract/stream-engine.js";
import type { Transport } from "./contract/transport.js";
import { IpcTransport } from "./ipc.js";
import { addonError } from "./native/addon.js";
import { nativeEngine } from "./native/engine.js";
import { portableEngine } from "./node/engine.js";
import { TcpTransport } from "./tcp.js";
import { TlsLayer } from "./tls/layer.js";
import { UdpTransport } from "./udp.js";
import { attachedName, attachTo } from "./ws/attached.js";
import { maskBy } from "./ws/frame.js";
import { WebSocketTransport } from "./ws/transport.js";

const debug = debuglog("zwire");

/** An engine, and why the portable one was chosen. */
interface Choice {
  readonly engine: StreamEngine;
  readonly reason?: Error;
}

let choice: Choice | undefined;

function chooseEngine(): Choice {
  const forced = process.env.ZWIRE_ENGINE;
  if (forced !== undefined && forced !== "" && forced !== "native" && forced !== "portable") {
    throw new ZmqError("EINVAL", { detail: `ZWIRE_ENGINE must be "native" or "portable"; got "${forced}"` });
  }
  if (forced === "portable") {
    return {
      engine: portableEngine,
      reason: new Error("ZWIRE_ENGINE=portable asks for the portable engine"),
    };
  }
  const native = nativeEngine();
  if (native === undefined && forced === "native") {
    throw new ZmqError("ENOTSUP", {
      cause: addonError(),
      detail:
        "ZWIRE_ENGINE=native, but the addon does not load (the cause says why): unset it, or set it to portable",
    });
  }
  return native === undefined ? { engine: portableEngine, reason: addonError() } : { engine: native };
}

/** The choice. It is made once, when an engine is first needed. */
function chosen(): Choice {
  if (choice === undefined) {
    choice = chooseEngine();
    const why = choice.reason?.message.replace(/\s*\n\s*/g, "; ") ?? "the addon is loaded";
    debug("engine %s: %s", choice.engine.name, why);
  }
  return choice;
}

/**
 * The engine in use. It is chosen once, when it is first needed. @throws ZmqError if `ZWIRE_ENGINE` asks for one that
 * does not load
 */
export function streamEngine(): StreamEngine {
  return chosen().engine;
}

/** Why the portable engine is in use; undefined with the native one. @throws as streamEngine */
export function portableReason(): Error | undefined {
  return chosen().reason;
}

/**
 * Transports by scheme: the built-in ones, which are made when they are first needed, and those that were registered.
 */
const transports = new Map<string, Transport | ((engine: StreamEngine) => Transport)>([
  ["tcp", (engine) => new TcpTransport(engine)],
  ["ipc", (engine) => new IpcTransport(engine)],
  // node:tls is over node:net, whatever the engine.
  ["tls+tcp", () => new TcpTransport(portableEngine, new TlsLayer())],
  ["ws", (engine) => webSockets("ws", engine, new TcpTransport(engine))],
  ["wss", (engine) => webSockets("wss", engine, new TcpTransport(portableEngine, new TlsLayer()))],
]);

/** Transports of datagrams by scheme; over node:dgram, whatever the engine. */
const datagrams = new Map<string, DatagramTransport>([["udp", new UdpTransport()]]);

/** The transport of a scheme that carries datagrams; undefined for all others. */
export function datagramsFor(scheme: string): DatagramTransport | undefined {
  return datagrams.get(scheme);
}

function webSockets(scheme: "ws" | "wss", engine: StreamEngine, below: Transport): Transport {
  maskBy(engine.mask);
  return new WebSocketTransport(scheme, below);
}

/**
 * Adds a scheme: from now on, sockets of this thread can bind and connect to its endpoints.
 * @returns a function that removes it again
 * @throws Error if the scheme has a transport already
 */
export function registerTransport(scheme: string, transport: Transport): () => void {
  if (hasTransport(scheme) || scheme === "inproc") throw new Error(`the scheme "${scheme}" is taken`);
  transports.set(scheme, transport);
  return () => transports.delete(scheme);
}

/** The schemes that have a transport. */
export function schemes(): string[] {
  return [...transports.keys(), ...datagrams.keys()];
}

/** Whether a transport has the scheme. */
export function hasTransport(scheme: string): boolean {
  return transports.has(scheme) || datagrams.has(scheme);
}

/** The transport of a scheme. @throws ZmqError EPROTONOSUPPORT if there is none */
export function transportFor(scheme: string): Transport {
  let transport = transports.get(scheme);
  if (transport === undefined)
    throw new ZmqError("EPROTONOSUPPORT", {
      detail: `no transport for "${scheme}"`,
    });
  if (typeof transport === "function") {
    transport = transport(streamEngine());
    transports.set(scheme, transport);
  }
  return transport;
}

export type { HttpEndpoint } from "./contract/http-server.js";
/** An endpoint on an HTTP server of the program. @throws TypeError, ZmqError EINVAL */
export function httpEndpoint(endpoint: HttpEndpoint): ReturnType<typeof attachTo> {
  const attached = attachTo(endpoint);
  maskBy(streamEngine().mask);
  return attached;
}
/** The endpoint that something on an HTTP server of the program was bound as. @throws TypeError, ZmqError ENOENT */
export const httpEndpointName = attachedName;
