/**
 * The commands of `zwire-rpc`. A new one is a row here and a file beside this one.
 */
import type { Client, RemoteControl } from "../../rpc.js";
import type { Output } from "../command.js";
import type { Job } from "./job.js";

/** Asks a server for what a job wants, and prints the answer. Rejects with the errors of calls. */
export type RpcCommand = (remote: RemoteControl<Client>, job: Job, output: Output) => Promise<void>;

/** A command as the help text shows it, before it is loaded. */
export interface RpcCommandEntry {
  readonly name: string;
  /** What follows the endpoint. */
  readonly usage: string;
  readonly summary: string;
  /** Whether the command is about one method. */
  readonly method: "none" | "optional" | "required";
  load(): Promise<RpcCommand>;
}

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
