/**
 * Which engine this process uses, and the transports by scheme. `ZWIRE_ENGINE=native|portable` forces one;
 * otherwise the addon is used where it loads.
 */
import { ZmqError } from "../errors.js";
import { addonError } from "../native.js";
import { IpcTransport, ipcPath } from "./ipc.js";
import { nativeEngine } from "./native-stream.js";
import { portableEngine } from "./node-stream.js";
import type { StreamEngine } from "./stream-engine.js";
import { parseTcpBind, parseTcpConnect, TcpTransport } from "./tcp.js";
import type { Transport } from "./transport.js";

let engine: StreamEngine | undefined;
const transports = new Map<string, Transport>();

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

/** The transport for `tcp` or `ipc`. */
export function transportFor(scheme: "tcp" | "ipc"): Transport {
  let transport = transports.get(scheme);
  if (transport === undefined) {
    transport = scheme === "tcp" ? new TcpTransport(streamEngine()) : new IpcTransport(streamEngine());
    transports.set(scheme, transport);
  }
  return transport;
}

/** Checks an address at once, so that a mistyped connect() throws instead of retrying for ever. */
export function checkConnectAddress(scheme: "tcp" | "ipc", address: string): void {
  if (scheme === "tcp") parseTcpConnect(address);
  else ipcPath(address);
}

/** As checkConnectAddress, for bind(). */
export function checkBindAddress(scheme: "tcp" | "ipc", address: string): void {
  if (scheme === "tcp") parseTcpBind(address);
  else if (address !== "*") ipcPath(address);
}
