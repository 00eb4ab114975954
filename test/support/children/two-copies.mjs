/**
 * Evaluates all of zwire's modules twice over one addon and sends messages within each copy and between them. Prints
 * {"received":[...]}.
 */
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const copy = mkdtempSync(join(tmpdir(), "zw"));
process.on("exit", () => rmSync(copy, { recursive: true, force: true }));
// The same addon file: both copies find it through links.
for (const name of ["node_modules", "build", "prebuilds", "package.json"]) {
  try {
    symlinkSync(join(root, name), join(copy, name));
  } catch {}
}
cpSync(join(root, "dist"), join(copy, "dist"), { recursive: true });

const first = await import(join(root, "dist/index.js"));
const second = await import(join(copy, "dist/index.js"));
const received = [];

async function pass(from, to, text) {
  const pull = new to.Pull();
  const push = new from.Push();
  push.connect(await pull.bind("tcp://127.0.0.1:*"));
  await push.send(text);
  received.push(String(await pull.receive({ timeout: 10_000 })));
  await Promise.all([push.close(), pull.close()]);
}

const early = new first.Pull(); // made before the second copy is used
const endpoint = await early.bind("tcp://127.0.0.1:*");
const other = new second.Pull();
await other.bind("tcp://127.0.0.1:*");
const push = new first.Push();
push.connect(endpoint);
await push.send("first");
received.push(String(await early.receive({ timeout: 10_000 })));
await pass(second, second, "second");
await pass(first, second, "first to second");
await pass(second, first, "second to first");
await Promise.all([early.close(), other.close(), push.close()]);
console.log(JSON.stringify({ received }));
