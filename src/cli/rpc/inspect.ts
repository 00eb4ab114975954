/**
 * `zwire-rpc inspect`: the parameters and the documentation of a server's functions, or of one.
 */
import { type MethodDescription, UnknownMethod } from "../../rpc.js";
import { toJson } from "../json.js";
import type { RpcCommand } from "./command.js";

function describeMethod(name: string, { args, doc }: MethodDescription): string {
  const parameters = (args ?? []).map((one) =>
    "default" in one ? `${one.name} = ${toJson(one.default, false)}` : one.name,
  );
  const text = doc?.trim().replaceAll("\n", "\n    ");
  return `${name}(${args === null ? "…" : parameters.join(", ")})${text ? `\n    ${text}` : ""}`;
}

export const inspect: RpcCommand = async (remote, { method }, output) => {
  const { name, methods } = await remote.$client.inspect();
  if (method !== "" && methods[method] === undefined) {
    throw new UnknownMethod("NameError", method, { method });
  }
  if (method === "") output.out(`${name}\n`);
  for (const [one, about] of Object.entries(methods)) {
    if (method === "" || method === one) output.out(`${describeMethod(one, about)}\n`);
  }
};
