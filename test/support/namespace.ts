/**
 * Runs a program in a network namespace of its own, with multicast between two devices. That needs Linux, and a kernel that lets us
 * make one; where it does not, `reason` says why.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";

const SET_UP = [
  "ip link set lo up",
  "ip link add v0 type veth peer name v1",
  "ip addr add 10.77.0.1/24 dev v0",
  "ip -6 addr add fd77::1/64 dev v0 nodad",
  "ip link set v0 up",
  "ip link set v1 up",
  "ip route add 239.0.0.0/8 dev v0",
].join(" && ");

const command = (program: string): [string, string[]] => [
  "unshare",
  ["-rn", "sh", "-c", `${SET_UP} && ${program}`],
];

let asked: string | null | undefined;

/** Why there is no namespace; null if there can be one. */
export function namespaceReason(): string | null {
  if (asked !== undefined) return asked;
  const run = spawnSync(...command("true"), { encoding: "utf8" });
  asked = run.status === 0 ? null : (run.error?.message ?? run.stderr.trim().split("\n")[0]);
  return asked;
}

/** Starts a program of Node in a namespace. */
export function inNamespace(file: string): ChildProcess {
  return spawn(...command(`exec "${process.execPath}" "${file}"`), { stdio: ["pipe", "pipe", "inherit"] });
}
