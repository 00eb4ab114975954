/**
 * The commands of `zwire-rpc`. A new one is a row here and a file beside this one.
 */
import type { RpcCommandEntry } from "./command.js";

export const COMMANDS: readonly RpcCommandEntry[] = [
  {
    name: "list",
    usage: "",
    summary: "print the names of its functions",
    method: "none",
    load: async () => (await import("./list.js")).list,
  },
  {
    name: "inspect",
    usage: "[METHOD]",
    summary: "print their parameters and documentation",
    method: "optional",
    load: async () => (await import("./inspect.js")).inspect,
  },
  {
    name: "call",
    usage: "METHOD [ARGUMENT...]",
    summary: "call a function once and print the result as JSON",
    method: "required",
    load: async () => (await import("./call.js")).call,
  },
  {
    name: "stream",
    usage: "METHOD [ARGUMENT...]",
    summary: "print one JSON value per line, as they come",
    method: "required",
    load: async () => (await import("./stream.js")).stream,
  },
];
