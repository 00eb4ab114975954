/**
 * What a command of `zwire-rpc` is, and what it is asked to do.
 */
import type { Client, RemoteControl } from "../../rpc.js";
import type { Output } from "../command.js";

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

/** What the command line asks for. */
export interface Job {
  readonly command: RpcCommandEntry;
  readonly endpoint: string;
  /** Empty if the command takes none and none was given. */
  readonly method: string;
  readonly args: readonly unknown[];
  /** Milliseconds until the first answer. */
  readonly timeout: number;
  /** Items of a stream. */
  readonly limit: number;
  readonly pretty: boolean;
  readonly verbose: boolean;
}
