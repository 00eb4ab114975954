/**
 * Where answers come from: the question itself, the command line, another command, or what is read.
 */
import type { Output } from "../command.js";
import { UsageError } from "../errors.js";
import type { Values } from "../options.js";
import type { Format, Parts } from "./formats.js";
import { readInput, type Source } from "./input.js";
import type { ANSWERING } from "./options.js";
import { runInShell } from "./shell.js";

/** The parts of the answer to a question, without the envelope of either; undefined if there are no more answers. */
export type Answer = (question: Parts) => Promise<Parts | undefined>;

/** How many parts say where an answer goes: an address, and the empty part that a Request and a Reply put behind it. */
export function envelopeOf(question: Parts, addressed: boolean): number {
  const address = addressed ? 1 : 0;
  return question.length > address + 1 && question[address].length === 0 ? address + 1 : address;
}

const NEWLINE = 10;
/** The answer when there is none. */
export const NOTHING: Parts = [Buffer.alloc(0)];

function byCommand(
  command: string,
  text: boolean,
  format: Format,
  name: string,
  output: Output,
  signal: AbortSignal,
): Answer {
  const answer = async (question: Parts): Promise<Parts> => {
    const input = (format.bytes ?? format.write)(question);
    const [printed, code] = await runInShell(command, input, signal);
    if (code !== "0") output.error(`zwire ${name}: the command ended with ${code}\n`);
    const end = printed.at(-1) === NEWLINE ? printed.length - 1 : printed.length;
    if (text) return [printed.subarray(0, end)];
    const splitter = format.splitter();
    const [record] = [...splitter.push(printed), ...splitter.end()];
    return record === undefined ? NOTHING : format.read(record);
  };
  return async (question) => {
    try {
      return await answer(question);
    } catch (error) {
      if (signal.aborted) throw error;
      // One question must not end the answers to others. Who asked gets an answer, without which a REP takes no other question.
      output.error(`zwire ${name}: ${(error as Error).message}\n`);
      return NOTHING;
    }
  };
}

/** Whether the command line says how to answer. */
export function answers({ echo, reply, exec }: Values<typeof ANSWERING>): boolean {
  return echo || reply.length > 0 || exec !== undefined;
}

/**
 * How the command line wants questions to be answered. Without a word about it, each answer is the next message that is read.
 * @param text whether the format is text, in which a command's answer may have many lines
 * @throws UsageError
 */
export function answerOf(
  given: Values<typeof ANSWERING>,
  source: Source,
  text: boolean,
  name: string,
  output: Output,
  signal: AbortSignal,
): Answer {
  const { echo, reply, exec } = given;
  if (Number(echo) + Number(reply.length > 0) + Number(exec !== undefined) > 1)
    throw new UsageError("Give one of --echo, --reply and --exec.");
  if (echo) return async (question) => question;
  if (exec !== undefined) return byCommand(exec, text, source.format, name, output, signal);
  if (reply.length > 0) {
    const parts = source.format.readArguments(reply);
    return async () => parts;
  }
  const batches = readInput({ ...source, count: undefined }, signal);
  let read: Parts[] = [];
  return async () => {
    while (read.length === 0) {
      const next = await batches.next();
      if (next.done) return undefined;
      read = [...next.value];
    }
    return read.shift();
  };
}
