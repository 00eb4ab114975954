/**
 * Which engine this process uses, and the transports by scheme. `ZWIRE_ENGINE=native|portable` forces one;
 * otherwise the addon is used where it loads.
 */
import { ZmqError } from "../base/errors.js";
import type { StreamEngine } from "./contract/stream-engine.js";
import type { Transport } from "./contract/transport.js";
import { IpcTransport } from "./ipc.js";
import { addonError } from "./native/addon.js";
import { nativeEngine } from "./native/engine.js";
import { portableEngine } from "./node/engine.js";
import { TcpTransport } from "./tcp.js";

let engine: StreamEngine | undefined;

function chooseEngine(): StreamEngine {
  const forced = process.env.ZWIRE_ENGINE;
  if (forced !== undefined && forced !== "" && forced !== "native" && forced !== "portable") {
    throw new ZmqError("EINVAL", { detail: `ZWIRE_ENGINE must be "native" or "portable"; got "${forced}"` });
  }
  if (forced === "portable") return portableEngine;
  const native = nativeEngine();
  if (native === undefined && forced === "native") {
    throw new ZmqError("ENOTSUP", { cause: addonError(), detail: "ZWIRE_ENGINE=native, but no addon loads" });
  }
  return native ?? portableEngine;
}

/** The engine in use: chosen once, when it is first needed. */
export function streamEngine(): StreamEngine {
  engine ??= chooseEngine();
  return engine;
}

/** The schemes of the engine, made when they are first needed, and those that were registered. */
const transports = new Map<string, Transport | ((engine: StreamEngine) => Transport)>([
  ["tcp", (chosen) => new TcpTransport(chosen)],
  ["ipc", (chosen) => new IpcTransport(chosen)],
]);

/**
 * Adds a scheme: from now on sockets of this thread can bind and connect to its endpoints.
 * @returns removes it again
 */
export function registerTransport(scheme: string, transport: Transport): () => void {
  if (transports.has(scheme) || scheme === "inproc") throw new Error(`the scheme "${scheme}" is taken`);
  transports.set(scheme, transport);
  return () => transports.delete(scheme);
}

/** The schemes that have a transport. */
export function schemes(): string[] {
  return [...transports.keys()];
}

/** Whether a transport has the scheme. */
export function hasTransport(scheme: string): boolean {
  return transports.has(scheme);
}

/** The transport of a scheme. @throws ZmqError EPROTONOSUPPORT where there is none */
export function transportFor(scheme: string): Transport {
  let transport = transports.get(scheme);
  if (transport === undefined)
    throw new ZmqError("EPROTONOSUPPORT", { detail: `no transport for "${scheme}"` });
  if (typeof transport === "function") {
    transport = transport(streamEngine());
    transports.set(scheme, transport);
  }
  return transport;
}
