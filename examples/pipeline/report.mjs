/**
 * The end of the demo: counts everything once more in this one process, prints the table and says whether both agree.
 * Knows no sockets.
 */
import { join } from "node:path";
import { countFile, Totals } from "./count.mjs";
import { number, table } from "./table.mjs";
import { fingerprint } from "./walk.mjs";

const SHOWN = 20;

/** A list of names, shortened. */
function list(title, names) {
  if (names.length === 0) return;
  console.log(`\n${title}:`);
  for (const name of names.slice(0, SHOWN)) console.log(`  ${name}`);
  if (names.length > SHOWN) console.log(`  … and ${number(names.length - SHOWN)} more`);
}

/** What a worker should have said about a file. */
async function recount(path) {
  try {
    return { count: await countFile(path) };
  } catch (error) {
    if (error.syscall === undefined) throw error;
    return { unreadable: error.code };
  }
}

function same(result, again) {
  if (result.unreadable !== undefined) return result.unreadable === again.unreadable;
  return ["lines", "words", "bytes", "hash"].every((name) => result.count[name] === again.count?.[name]);
}

/** Goes over all items that have a result. A file that changed in the meantime proves nothing and is left out. */
async function check(root, ledger) {
  const pipeline = new Totals();
  const single = new Totals();
  const differing = [];
  const changed = [];
  const unreadable = [];
  for (const [index, item] of ledger.items.entries()) {
    const result = ledger.results[index];
    if (result === undefined) continue;
    const path = join(root, item.path);
    const again = await recount(path);
    if ((await fingerprint(path)) !== item.fingerprint) {
      changed.push(item.path);
      continue;
    }
    if (!same(result, again)) differing.push(`${item.path} (by ${result.worker})`);
    if (result.unreadable !== undefined) unreadable.push(`${item.path} (${result.unreadable})`);
    else pipeline.add(item.path, result.count);
    if (again.count !== undefined) single.add(item.path, again.count);
  }
  return { pipeline, single, differing, changed, unreadable };
}

function row(name, totals, seconds) {
  const { files, lines, words, bytes } = totals;
  return [name, ...[files, lines, words, bytes].map(number), seconds === undefined ? "" : seconds.toFixed(2)];
}

/** Prints the report; true when the totals agree and nothing was lost that may not be. */
export async function report({ root, ledger, crew, seconds, allowLoss }) {
  const started = performance.now();
  const { pipeline, single, differing, changed, unreadable } = await check(root, ledger);
  const singleSeconds = (performance.now() - started) / 1000;
  const lost = ledger.missing.map((item) => item.path);

  for (const worker of crew.dead) console.log(`\n${worker.name} died: ${worker.end}`);
  list(`lost with a dead worker, ${number(lost.length)} of ${number(ledger.items.length)} files`, lost);
  list("not readable", unreadable);
  list("changed while the demo ran, left out of the check", changed);
  list("counted differently in one process", differing);

  const rows = [["", "files", "lines", "words", "bytes", "seconds"]];
  for (const { name } of crew.members) rows.push(row(name, ledger.of(name)));
  rows.push(row("all workers", pipeline, seconds));
  rows.push(row("one process", single, singleSeconds));
  console.log(`\n${table(rows)}\n`);

  const accounted = ledger.done + lost.length === ledger.items.length && ledger.doubles === 0;
  const equal = differing.length === 0 && pipeline.equals(single);
  const loss = lost.length > 0 ? `, ${number(lost.length)} lost with a dead worker` : "";
  const verdict = equal && accounted ? "agree" : "DISAGREE";
  console.log(
    `totals ${verdict}: ${number(pipeline.files)} files counted${loss}, digest ${pipeline.digest.slice(0, 16)}`,
  );
  return equal && accounted && (allowLoss || lost.length === 0);
}
