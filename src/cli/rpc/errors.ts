/**
 * Errors of `zwire-rpc`: what it prints, and the exit code.
 */
import { LostRemote, RemoteError, RpcError, TimeoutExpired, UnknownMethod } from "../../rpc.js";
import { isUsageError } from "../errors.js";

const EXIT = { raised: 1, usage: 2, timeout: 3, lost: 4, other: 5 } as const;

/** Codes of errors that a wrong endpoint causes. */
const ENDPOINT_CODES = ["EINVAL", "EPROTONOSUPPORT", "ENAMETOOLONG"];

export function exitCode(error: unknown): number {
  if (isUsageError(error) || error instanceof TypeError || error instanceof RangeError) return EXIT.usage;
  if (error instanceof TimeoutExpired) return EXIT.timeout;
  if (error instanceof LostRemote) return EXIT.lost;
  if (error instanceof RemoteError) return EXIT.raised;
  const { code } = error as { code?: string };
  return ENDPOINT_CODES.includes(code ?? "") ? EXIT.usage : EXIT.other;
}

/** @param verbose whether the traceback of the server, or our stack, is wanted */
export function complaint(error: unknown, verbose: boolean): string {
  const { message, stack } = error as Error;
  if (isUsageError(error)) return `zwire-rpc: ${message}\ntry: zwire-rpc --help\n`;
  if (error instanceof UnknownMethod) return `zwire-rpc: no such method: ${error.method ?? message}\n`;
  if (error instanceof RemoteError) {
    const traceback = verbose && error.traceback ? `${error.traceback.trimEnd()}\n` : "";
    return `${error.name}: ${message}\n${traceback}`;
  }
  if (error instanceof RpcError) return `zwire-rpc: ${message}\n`;
  return `zwire-rpc: ${verbose && stack ? stack : message}\n`;
}
