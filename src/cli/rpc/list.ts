/**
 * `zwire-rpc list`: the names of a server's functions.
 */
import type { RpcCommand } from "./command.js";

export const list: RpcCommand = async (remote, _job, output) => {
  for (const name of await remote.$call<string[]>("_zerorpc_list")) output.out(`${name}\n`);
};
