/**
 * Makes the commands of messages: one for each type of socket, of what the type can do.
 */
import type { SocketType } from "../../options/row.js";
import { type Command, command, type Output } from "../command.js";
import { Ended, Ending } from "../ending.js";
import { EXIT, UsageError } from "../errors.js";
import { integer, type OptionRow, type Values } from "../options.js";
import { answerOf, answers } from "./answer.js";
import { attach, attaching } from "./attach.js";
import { answerAll, ask, exchange, receiveAll, sendAll } from "./flows.js";
import { formatOf } from "./formats.js";
import { finish, type Job, waitForPeers } from "./job.js";
import { ANSWERING, LOOK, RECEIVING, SENDING, WAITING } from "./options.js";
import type { Plug } from "./plug.js";
import { Progress } from "./progress.js";

/** What a command does with messages. */
type Way = "send" | "receive" | "ask" | "answer" | "exchange";

/** What makes the command of a socket type what it is. */
export interface Type<Own extends Readonly<Record<string, OptionRow>>> {
  readonly name: string;
  readonly type: SocketType;
  readonly way: Way;
  /** How messages begin: with the name of a peer (any bytes), a number or a group. Default: with no address. */
  readonly address?: "name" | "number" | "group";
  readonly about: string;
  readonly examples: readonly (readonly [line: string, meaning: string])[];
  /** Options that no other type has. */
  readonly own?: Own;
  /** Makes the socket. */
  create(options: Record<string, unknown>, own: Values<Own>): Plug;
}

const SHAPE: Readonly<Record<Way, string>> = {
  send: "[options] [part...]",
  receive: "[options]",
  ask: "[options] [part...]",
  answer: "[options]",
  exchange: "[options] [part...]",
};

const COUNT: Readonly<Record<Way, string>> = {
  send: "how often to send the arguments; or, of files and standard input, how many messages at most",
  receive: "end after so many messages",
  ask: "how often to ask with the arguments; or, of files and standard input, how many questions at most",
  answer: "end after so many answers",
  exchange: "end after so many received messages; 0 when all is sent",
};

function rowsOf<Own extends Readonly<Record<string, OptionRow>>>({ type, way, own }: Type<Own>) {
  const sends = way !== "receive";
  return {
    ...attaching(type),
    ...(own as Own),
    count: { kind: integer(0), short: "n", help: COUNT[way] },
    ...WAITING,
    ...LOOK,
    ...(sends ? SENDING : {}),
    ...(way === "send" ? {} : RECEIVING),
    ...(way === "answer" || way === "exchange" ? ANSWERING : {}),
  };
}

/** What the rows may give, whatever the way is. */
type Given = Values<ReturnType<typeof attaching> & typeof WAITING & typeof LOOK> &
  Partial<Values<typeof SENDING & typeof RECEIVING & typeof ANSWERING>> & {
    readonly count: number | undefined;
  };

const NO_ANSWER = { echo: false, reply: [], exec: undefined } as const;

/** Whether there was more to do when a signal came. */
function hadAnEnd(way: Way, given: Given): boolean {
  return given.count !== undefined || way === "send" || way === "ask";
}

function flow(way: Way, job: Job, given: Given, addressed: boolean): Promise<void> {
  const answering = { ...NO_ANSWER, ...given };
  if (way === "send") return sendAll(job);
  if (way === "receive") return receiveAll(job);
  if (way === "ask") return ask(job);
  if (way === "exchange" && !answers(answering)) return exchange(job);
  const { source, name, output, ending } = job;
  const answer = answerOf(answering, source, given.format === "text", name, output, ending.signal);
  return answerAll(job, answer, addressed);
}

async function carryOut(way: Way, job: Job, given: Given, addressed: boolean): Promise<number> {
  const { ending } = job;
  try {
    await waitForPeers(job);
    await flow(way, job, given, addressed);
  } catch (error) {
    if (!(error instanceof Ended) && !ending.signal.aborted) {
      await job.plug.socket.close({ linger: 0 });
      throw error;
    }
  } finally {
    job.progress.end();
  }
  await finish(job);
  return ending.signal.aborted ? ending.exitCode(hadAnEnd(way, given)) : EXIT.ok;
}

function checkGiven(given: Given, args: readonly string[]): void {
  const answering = answers({ ...NO_ANSWER, ...given });
  const files = given.file ?? [];
  if (args.length > 0 && (files.length > 0 || answering))
    throw new UsageError(`Give arguments or --${answering ? "echo, --reply or --exec" : "file"}, not both.`);
  if (files.length > 0 && answering)
    throw new UsageError("Give --file, or one of --echo, --reply and --exec.");
}

/** The command of a socket type. */
export function messageCommand<const Own extends Readonly<Record<string, OptionRow>> = Record<never, never>>(
  parts: Type<Own>,
): Command {
  const { name, type, way, address, about, examples } = parts;
  const mayHaveArguments = SHAPE[way].includes("part");
  return command({
    synopsis: `zwire ${name} ${SHAPE[way]}`,
    about,
    options: rowsOf(parts),
    positionals: { shown: "part", most: mayHaveArguments ? Infinity : 0 },
    examples,
    async run({ values, positionals: args }, output: Output) {
      const given = values as unknown as Given;
      checkGiven(given, args);
      const format = await formatOf(given.format, {
        separator: given.separator,
        named: address === "name",
        addressed: address !== undefined,
      });
      const source = { args, files: given.file ?? [], format, interval: given.interval };
      // The arguments are read before anything is bound.
      if (args.length > 0) format.readArguments(args);
      const ending = new Ending(output);
      try {
        const create = (options: Record<string, unknown>) =>
          parts.create(options, values as unknown as Values<Own>);
        const plug = await attach(name, type, given, create, output);
        const toTerminal = way !== "send" && !given.quiet && process.stdout.isTTY;
        const job: Job = {
          name,
          plug,
          format,
          source: { ...source, count: way === "exchange" ? undefined : given.count },
          count: given.count,
          timeout: given.timeout ?? -1,
          waitPeers: given["wait-peers"] ?? 0,
          quiet: given.quiet ?? false,
          ending,
          output,
          progress: new Progress(!toTerminal && !given.quiet),
        };
        return await carryOut(way, job, given, address !== undefined);
      } finally {
        ending.release();
      }
    },
  });
}
