/**
 * Which engine this process uses, and the transports by scheme. `ZWIRE_ENGINE=native|portable` forces one;
 * otherwise the addon is used where it loads.
 */
import { ZmqError } from "../base/errors.js";
import type { StreamEngine } from "./contract/stream-engine.js";
import type { Transport, TransportOptions } from "./contract/transport.js";
import { IpcTransport, ipcPath } from "./ipc.js";
import { addonError } from "./native/addon.js";
import { nativeEngine } from "./native/engine.js";
import { portableEngine } from "./node/engine.js";
import { checkTcpConnect, parseTcpBind, TcpTransport } from "./tcp.js";

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

/**
 * Checks an address and the options at once, so that what can never work throws instead of being tried for ever.
 * @throws ZmqError EINVAL, ENAMETOOLONG, ENOTSUP, ENODEV, EPERM
 */
export function checkConnect(scheme: "tcp" | "ipc", address: string, options: TransportOptions): void {
  streamEngine().checkOptions(options, scheme);
  if (scheme === "tcp") checkTcpConnect(address, options);
  else streamEngine().checkPath(ipcPath(address), address);
}

/** As checkConnect, for bind(). */
export function checkBind(scheme: "tcp" | "ipc", address: string, options: TransportOptions): void {
  streamEngine().checkOptions(options, scheme);
  if (scheme === "tcp") parseTcpBind(address);
  else if (address !== "*") streamEngine().checkPath(ipcPath(address), address);
}
