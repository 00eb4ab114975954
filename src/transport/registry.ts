/**
 * Which engine this process uses, and the transports by scheme. `ZWIRE_ENGINE=native|portable` forces one engine;
 * otherwise the addon is used where it loads. A new scheme is one object, made known with `registerTransport`.
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

const makers = new Map<string, () => Transport>();
const transports = new Map<string, Transport>();

/**
 * Makes a scheme known. Endpoints of it can be bound and connected from then on, in every socket of this thread.
 * @param make called once, when the scheme is first used
 * @throws Error when the scheme is known already
 */
export function registerTransport(scheme: string, make: () => Transport): void {
  if (makers.has(scheme)) throw new Error(`the scheme "${scheme}" is registered already`);
  makers.set(scheme, make);
}

registerTransport("tcp", () => new TcpTransport(streamEngine()));
registerTransport("ipc", () => new IpcTransport(streamEngine()));

/** The schemes that are registered, in that order. */
export function schemes(): string[] {
  return [...makers.keys()];
}

/** The transport of a scheme; undefined for a scheme that is not registered. */
export function transportFor(scheme: string): Transport | undefined {
  let transport = transports.get(scheme);
  if (transport === undefined) {
    transport = makers.get(scheme)?.();
    if (transport !== undefined) transports.set(scheme, transport);
  }
  return transport;
}
