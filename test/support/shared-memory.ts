/**
 * For tests of memory that processes share: whether there is any, what is mapped, and a peer with an implementation of its
 * own in Python.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { until, within } from "./helpers.js";

/** Whether this engine can share memory. */
export const CAN = process.env.ZWIRE_ENGINE === "native" && process.platform === "linux";

/** Mappings of this process by the names of their memory: "zwire" for rings, "zwire-loans" for pools, "" for all. */
export function mappings(name: string): number {
  const label = name === "" ? "memfd:" : `memfd:${name} (`;
  return readFileSync("/proc/self/maps", "utf8").split(label).length - 1;
}

export const descriptors = (): number => readdirSync("/proc/self/fd").length;

const SCRIPT = fileURLToPath(new URL("./peers/memory-peer.py", import.meta.url));

/** peers/memory-peer.py, which keeps the rules or breaks one of them. */
export class MemoryPeer {
  readonly process: ChildProcess;
  readonly words: string[] = [];
  readonly ended: Promise<void>;

  constructor(endpoint: string, way: string) {
    this.process = spawn("python3", ["-B", SCRIPT, endpoint.slice("ipc://".length), way], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    createInterface({ input: this.process.stdout! }).on("line", (line) => this.words.push(line));
    this.ended = new Promise((resolve) => this.process.once("close", () => resolve()));
    onTestFinished(() => void this.process.kill("SIGKILL"));
  }

  said(word: string): Promise<void> {
    return until(() => this.words.includes(word), `"${word}" of the peer`);
  }

  /** Ends its input, at which it leaves. */
  async leave(): Promise<void> {
    this.process.stdin!.end();
    await within(this.ended, "the peer to end");
  }
}
