/** What is installed: versions, the engine and why, and the libraries of CURVE. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { addonError, engine, version } from "../../index.js";
import { loadSodium } from "../../security/crypto/sodium.js";
import { type Finding, failure, ok, warning } from "./finding.js";

/** The oldest Node.js that the package says it runs on, such as 20.19. */
function oldestNode(): string | undefined {
  const path = createRequire(import.meta.url).resolve("zwire/package.json");
  const { engines } = JSON.parse(readFileSync(path, "utf8")) as { engines?: { node?: string } };
  return /\d+(\.\d+)*/.exec(engines?.node ?? "")?.[0];
}

/** Whether a version is another one or newer; both are numbers with points. */
export function reaches(version: string, oldest: string): boolean {
  const [have, want] = [version, oldest].map((text) => text.split(".").map(Number));
  for (const [at, number] of want.entries()) {
    if ((have[at] ?? 0) !== number) return (have[at] ?? 0) > number;
  }
  return true;
}

function nodeFinding(): Finding {
  const { node } = process.versions;
  const oldest = oldestNode();
  const found = `${node} on ${process.platform} ${process.arch}`;
  if (oldest === undefined || reaches(node, oldest)) return ok("Node.js", found);
  return failure("Node.js", found, `zwire needs ${oldest} or newer.`);
}

function engineFinding(): Finding {
  if (engine() === "native") return ok("engine", "native: the addon is loaded");
  const forced = process.env.ZWIRE_ENGINE === "portable";
  const why = addonError()?.message.replace(/\s*\n\s*/g, "; ");
  return warning(
    "engine",
    `portable: ${forced ? "ZWIRE_ENGINE=portable asks for it" : why}`,
    forced
      ? "Unset ZWIRE_ENGINE for the native one. Without it ipc has no shared memory."
      : "Everything works, more slowly, and ipc has no shared memory. docs/deployment.md says which systems have a prebuilt addon and how to build it.",
  );
}

async function sodiumFindings(): Promise<Finding[]> {
  try {
    const { native } = await loadSodium(false);
    const found = native === null ? "libsodium (WebAssembly)" : "libsodium (WebAssembly) and sodium-native";
    return [ok("CURVE", found)];
  } catch (error) {
    return [
      failure(
        "CURVE",
        `libsodium does not load: ${(error as Error).message}`,
        "Install zwire again: libsodium is one of its dependencies.",
      ),
    ];
  }
}

/** Looks at what is installed. */
export async function installation(): Promise<Finding[]> {
  return [ok("zwire", version), nodeFinding(), engineFinding(), ...(await sodiumFindings())];
}
