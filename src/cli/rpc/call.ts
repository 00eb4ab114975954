/**
 * `zwire-rpc call`: one call, and its result as JSON.
 */
import { UsageError } from "../errors.js";
import { toJson } from "../json.js";
import type { RpcCommand } from "./command.js";

export const call: RpcCommand = async (remote, { method, args, pretty }, output) => {
  const result = await remote.$call(method, args);
  if (typeof result === "object" && result !== null && Symbol.asyncIterator in result) {
    throw new UsageError(`${method} streams its results: use zwire-rpc stream`);
  }
  output.out(`${toJson(result, pretty)}\n`);
};
