/**
 * Asks one library the questions whose titles match the second argument, each in turn with a deadline, and prints the
 * answers as one JSON line each. Argument: `zeromq` or `zwire`.
 */
import { questions } from "../questions.mjs";
import { load } from "./libraries.mjs";

const [, , name, pattern = ""] = process.argv;
const library = await load(name);
const DEADLINE_MS = 15_000;

process.on("warning", () => {});
for (const [title, question] of Object.entries(questions)) {
  if (!new RegExp(pattern).test(title)) continue;
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, DEADLINE_MS, "no answer in time");
  });
  let answer;
  try {
    answer = await Promise.race([question(library), late]);
  } catch (error) {
    answer = `broke: ${error.stack.split("\n").slice(0, 3).join(" | ")}`;
  }
  clearTimeout(timer);
  console.log(JSON.stringify({ title, answer }));
}
process.exit(0);
