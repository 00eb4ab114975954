/**
 * `zwire-rpc stream`: the items of a stream, one JSON value per line.
 */

import { toJson } from "../json.js";
import type { RpcCommand } from "./command.js";

export const stream: RpcCommand = async (remote, { method, args, pretty, limit }, output) => {
  if (limit === 0) return;
  let left = limit;
  for await (const item of remote.$stream(method, args)) {
    output.out(`${toJson(item, pretty)}\n`);
    await output.drained(); // a slow reader must not make us keep the items
    if (--left === 0) break;
  }
};
