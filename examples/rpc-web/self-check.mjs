/**
 * The service calls itself as a browser would, and compares what comes back with what must come back. Knows the service
 * by its addresses, and its workers by what the pool tells of them.
 */
import { setTimeout as sleep } from "node:timers/promises";

const SOURCE = `import os
import sys

def greet(names=[]):
    try:
        print(sys.argv, names is 3)
    except:
        pass
`;
const FINDINGS = [
  [1, "unused-import"],
  [4, "shared-default"],
  [6, "is-literal"],
  [7, "bare-except"],
];

async function check(address, source) {
  const answer = await fetch(`${address}/check`, { method: "POST", body: source });
  return { status: answer.status, ...(await answer.json()) };
}

/** Items of a survey, until `most` have come. */
async function survey(address, name, most = Infinity) {
  const answer = await fetch(`${address}/survey?package=${name}`);
  if (!answer.ok) return { status: answer.status, items: [] };
  const items = [];
  let text = "";
  for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) {
      if (event.startsWith("data: ")) items.push(JSON.parse(event.slice("data: ".length)));
    }
    if (items.length >= most) break; // leaving closes the connection
  }
  return { status: answer.status, items };
}

async function until(holds) {
  for (let i = 0; i < 500 && !holds(); i++) await sleep(20);
  return holds();
}

/** Prints one line per question, and returns whether all went well. */
export async function selfCheck(address, python) {
  let good = true;
  const tell = (what, holds, seen) => {
    console.log(`${holds ? "ok  " : "FAIL"} ${what}${holds ? "" : `: ${JSON.stringify(seen)}`}`);
    good &&= holds;
  };

  const first = await check(address, SOURCE);
  const found = first.findings?.map(({ line, rule }) => [line, rule]);
  tell("findings of a source", JSON.stringify(found) === JSON.stringify(FINDINGS), first);
  const broken = await check(address, "def f(:\n");
  tell(
    "a syntax error has its line",
    broken.findings?.[0]?.line === 1 && broken.findings[0].rule === "syntax",
    broken,
  );

  const answers = await Promise.all(Array.from({ length: 40 }, () => check(address, SOURCE)));
  const pids = new Set(answers.map(({ pid }) => pid));
  tell(
    "40 checks at once, by both workers",
    pids.size === 2 && answers.every(({ status }) => status === 200),
    [...pids],
  );

  const whole = await survey(address, "asyncio");
  const sum = whole.items.at(-1);
  const progress = whole.items.slice(0, -1);
  const counts = progress.every(({ done, total }, at) => done === at + 1 && total === progress.length);
  tell(
    `survey of asyncio: ${sum?.files} files, ${sum?.lines} lines`,
    counts && sum?.files === progress.length && sum.files > 20,
    sum,
  );
  const refused = await survey(address, "no_such_package");
  tell("an unknown package is refused", refused.status === 400, refused);

  const left = await survey(address, "encodings", 3);
  const over = await until(() => python.api.$client.stats.streams === 0);
  const { length } = left.items;
  tell("a survey that was left ends on both sides", length >= 3 && over, {
    length,
    ...python.api.$client.stats,
  });

  const [victim] = python.workers;
  process.kill(victim.pid, "SIGKILL");
  const after = await Promise.all(Array.from({ length: 20 }, () => check(address, SOURCE)));
  tell(
    "a worker is killed, and nobody notices",
    after.every(({ status }) => status === 200),
    after.map(({ status, error }) => error ?? status),
  );
  const back = await until(() => python.workers[0].state === "ready" && python.workers[0].pid !== victim.pid);
  tell("another took its place", back, python.workers);
  return good;
}
