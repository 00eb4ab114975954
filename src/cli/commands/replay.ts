/** `zwire replay`: sends the messages of a recording. */
import { command, type Output } from "../command.js";
import { Ended, Ending } from "../ending.js";
import { EXIT, UsageError } from "../errors.js";
import { attach, attaching } from "../messages/attach.js";
import { finish, type SendingJob, send, waitForPeers } from "../messages/job.js";
import { WAITING } from "../messages/options.js";
import { Progress } from "../messages/progress.js";
import { integer, type Kind } from "../options.js";
import { readRecording, STANDARD } from "../recording/files.js";
import type { Recorded } from "../recording/format.js";
import { type From, replayOnce } from "../recording/replay.js";
import { kindOf, SENDERS } from "../recording/sockets.js";

/** A factor, 0 or more. */
const factor: Kind<number> = {
  shown: "FACTOR",
  read: (given, name) => {
    const value = /^\d+(\.\d+)?$/.test(given) ? Number(given) : Number.NaN;
    if (Number.isFinite(value)) return value;
    throw new UsageError(`${name} must be a number of at least 0, such as 2 or 0.5; got "${given}"`);
  },
};

const NS: Readonly<Record<string, number>> = { ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** The number of a message, or a time. */
const place: Kind<From> = {
  shown: "N|TIME",
  read: (given, name) => {
    const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(given) ?? [];
    const value = Number(digits);
    if (unit !== undefined) return { nanoseconds: BigInt(Math.round(value * NS[unit])) };
    if (Number.isSafeInteger(value) && value >= 1) return { message: value };
    throw new UsageError(
      `${name} must be the number of a message, 1 or more, or a time such as 1.5s, 200ms, 10m or 1h; got "${given}"`,
    );
  },
};

interface How {
  readonly file: string;
  readonly speed: number;
  readonly from: From;
  /** Whether the command line has --from. */
  readonly given: boolean;
  readonly count: number;
  readonly loop: boolean;
}

/** Tells how many messages have been read. */
async function* counted(recording: AsyncIterable<Recorded[]>, count: (messages: number) => void) {
  for await (const messages of recording) {
    count(messages.length);
    yield messages;
  }
}

async function play(job: SendingJob, { file, speed, from, given, count, loop }: How): Promise<void> {
  const { signal } = job.ending;
  const hooks = {
    truncated: (what: string) =>
      job.output.error(`zwire replay: ${file}: ${what}. What is whole before it was sent.\n`),
  };
  await waitForPeers(job);
  for (let left = count; left > 0; ) {
    let seen = 0;
    const recording = counted(readRecording(file, hooks, signal), (messages) => (seen += messages));
    const sent = await replayOnce(recording, {
      speed,
      from,
      count: left,
      signal,
      send: (messages) => send(job, messages),
    });
    if (sent === 0 && given)
      throw new Error(`${file}: nothing was sent: --from is behind the last of ${seen} messages`);
    left -= sent;
    if (!loop || sent === 0) return; // what has nothing to send would loop for ever
  }
}

async function carryOut(job: SendingJob, how: How): Promise<void> {
  try {
    await play(job, how);
  } catch (error) {
    if (!(error instanceof Ended) && !job.ending.signal.aborted) {
      await job.plug.socket.close({ linger: 0 });
      throw named(error, how.file);
    }
  } finally {
    job.progress.end();
  }
  await finish(job);
}

/** What is wrong with a recording names the file. */
function named(error: unknown, file: string): unknown {
  if (error instanceof Error && error.name === "RecordingError") error.message = `${file}: ${error.message}`;
  return error;
}

export const replayCommand = command({
  synopsis: "zwire replay <type> [options] file",
  about: `Sends the messages that zwire record has recorded, at the times at which they came. The type is one of
${Object.keys(SENDERS).join(", ")}.
It may be another than the one that was recorded. The file - is standard input. A recording whose end is missing, because the
recorder was killed, is replayed as far as it is whole.`,
  options: {
    ...attaching("PUB"),
    speed: {
      kind: factor,
      initial: 1,
      help: "2 is twice as fast as it was recorded, 0 as fast as the receivers take it",
    },
    from: { kind: place, help: "begin with the message of this number, or of this time in the recording" },
    count: { kind: integer(1), short: "n", help: "send so many messages at most, all loops together" },
    loop: { short: "l", help: "begin again at the end, until --count or a signal ends it" },
    "wait-peers": {
      kind: integer(0),
      help: "send only when so many peers are there; of pub, xpub and radio, when they have subscribed; default 1 of those, 0 of others",
    },
    ...WAITING,
    quiet: { short: "q", help: "show no progress" },
  },
  positionals: { shown: "argument", least: 2, most: 2, completes: "files" },
  examples: [
    ["zwire replay pub --bind tcp://127.0.0.1:5556 today.zwr", "publishes again what was published"],
    [
      "zwire replay push --connect tcp://127.0.0.1:5555 --speed 0 jobs.zwr",
      "all jobs, as fast as they are taken",
    ],
    [
      "zwire replay pub --bind tcp://127.0.0.1:5556 --from 10m --loop today.zwr",
      "without the first ten minutes, again and again",
    ],
  ],
  async run({ values, positionals: [name, file] }, output: Output) {
    const kind = kindOf(SENDERS, name);
    if (values.loop && file === STANDARD)
      throw new UsageError("--loop needs a file: standard input comes once.");
    const ending = new Ending(output);
    try {
      const create = (options: Record<string, unknown>) => kind.create(options, { subscribe: [], join: [] });
      const plug = await attach("replay", kind.type, values, create, output);
      const copies = ["PUB", "XPUB", "RADIO"].includes(kind.type);
      const job: SendingJob = {
        name: "replay",
        plug,
        timeout: values.timeout ?? -1,
        waitPeers: values["wait-peers"] ?? (copies ? 1 : 0),
        ending,
        output,
        progress: new Progress(!values.quiet),
      };
      await carryOut(job, {
        file,
        speed: values.speed,
        from: values.from ?? { message: 1 },
        given: values.from !== undefined,
        count: values.count ?? Infinity,
        loop: values.loop,
      });
      return ending.signal.aborted ? ending.exitCode(values.count !== undefined || !values.loop) : EXIT.ok;
    } finally {
      ending.release();
    }
  },
});
