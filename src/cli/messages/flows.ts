/**
 * The ways in which messages pass through a command: sent, received, asked and answered. Each resolves when there is no more
 * to do, and rejects with what went wrong, or with Ended.
 */
import { ZmqError } from "../../index.js";
import { TimeoutError } from "../errors.js";
import { type Answer, envelopeOf, NOTHING } from "./answer.js";
import type { Parts } from "./formats.js";
import { readInput } from "./input.js";
import { type Job, print, receive, send } from "./job.js";

/** Messages that are received and printed together. */
const BATCH = 512;

/** Sends all that there is. */
export async function sendAll(job: Job): Promise<void> {
  for await (const batch of readInput(job.source, job.ending.signal)) await send(job, batch);
}

/** Prints what comes. */
export async function receiveAll(job: Job): Promise<void> {
  for (let left = job.count ?? Infinity; left > 0; ) {
    const messages = await receive(job, Math.min(left, BATCH));
    left -= messages.length;
    job.progress.count(messages);
    await print(job, messages);
  }
}

/** Sends one question after the other, and prints the answer to each. */
export async function ask(job: Job): Promise<void> {
  for await (const batch of readInput(job.source, job.ending.signal)) {
    for (const question of batch) {
      await send(job, [question]);
      await print(job, await receive(job, 1, "answer"));
    }
  }
}

/**
 * Sends an answer. That who asked has left, or that the answer cannot be sent, is told, and does not end the answers to others.
 */
async function sendAnswer(job: Job, envelope: Parts, parts: Parts): Promise<void> {
  const { name, output, ending } = job;
  try {
    await send(job, [[...envelope, ...parts]]);
  } catch (error) {
    const gone = error instanceof ZmqError && error.code === "EHOSTUNREACH";
    const ends = error instanceof TimeoutError || (error instanceof ZmqError && !gone);
    if (ending.signal.aborted || ends) throw error;
    output.error(`zwire ${name}: an answer was not sent: ${(error as Error).message}\n`);
    // Who waits gets an answer, without which a REP takes no other question.
    if (!gone) await send(job, [[...envelope, ...NOTHING]]);
  }
}

/**
 * Prints each question, and answers it.
 * @param addressed whether a message begins with the address of a peer
 */
export async function answerAll(job: Job, answer: Answer, addressed: boolean): Promise<void> {
  for (let left = job.count ?? Infinity; left > 0; left--) {
    const [question] = await receive(job, 1, "question");
    await print(job, [question]);
    const envelope = envelopeOf(question, addressed);
    const parts = await answer(question.slice(envelope));
    if (parts === undefined) return; // nothing is left to answer with
    await sendAnswer(job, question.slice(0, envelope), parts);
  }
}

/** Sends all that there is, and prints what comes meanwhile and after it, until that ends. */
export async function exchange(job: Job): Promise<void> {
  const stop = new AbortController();
  const sending = (async () => {
    for await (const batch of readInput(job.source, AbortSignal.any([job.ending.signal, stop.signal])))
      await send(job, batch);
  })();
  try {
    // Either may fail first. Who has nothing to wait for waits until all is sent.
    await Promise.race([
      job.count === 0 ? sending : receiveAll(job),
      sending.then(() => new Promise(() => {})),
    ]);
  } finally {
    stop.abort();
  }
}
