/** `zwire record`: what a socket receives, with times, in a file. */
import { version } from "../../core/version.js";
import { ZmqError } from "../../index.js";
import { command, type Output } from "../command.js";
import { Ended, Ending } from "../ending.js";
import { EXIT } from "../errors.js";
import { attach, attaching } from "../messages/attach.js";
import { inTime } from "../messages/job.js";
import { WAITING } from "../messages/options.js";
import type { Plug } from "../messages/plug.js";
import { Progress } from "../messages/progress.js";
import { integer, text } from "../options.js";
import { RecordingWriter, STANDARD } from "../recording/files.js";
import { kindOf, RECEIVERS } from "../recording/sockets.js";

/** Messages that are received and written together, and so have one time. */
const BATCH = 1024;

interface Recording {
  readonly plug: Plug;
  readonly writer: RecordingWriter;
  readonly progress: Progress;
  readonly ending: Ending;
  readonly timeout: number;
}

/** Writes what comes, up to `most` messages. */
async function record({ plug, writer, progress, ending, timeout }: Recording, most: number): Promise<void> {
  for (let left = most; left > 0; ) {
    const receiving = plug.receive?.(Math.min(left, BATCH), { timeout, signal: ending.signal });
    const messages = await inTime(receiving as Promise<Buffer[][]>, `no message came within ${timeout} ms`);
    left -= messages.length;
    progress.count(messages);
    await writer.write(messages);
  }
}

/** Writes what had been received when the recording was ended. */
async function recordRest({ plug, writer, progress }: Recording, most: number): Promise<void> {
  for (let left = Math.min(most, plug.socket.stats.receiveQueue); left > 0; ) {
    let messages: Buffer[][];
    try {
      messages = (await plug.receive?.(Math.min(left, BATCH), { timeout: 0 })) as Buffer[][];
    } catch (error) {
      if (error instanceof ZmqError && error.code === "EAGAIN") return;
      throw error;
    }
    left -= messages.length;
    progress.count(messages);
    await writer.write(messages);
  }
}

async function carryOut(recording: Recording, count: number): Promise<void> {
  const { plug, writer, progress, ending } = recording;
  try {
    await record(recording, count).catch(async (error: unknown) => {
      if (!(error instanceof Ended)) throw error;
      if (!ending.gone) await recordRest(recording, count - writer.count);
    });
  } finally {
    progress.end();
    // Whatever happened: what was written is a whole recording.
    await Promise.all([writer.close(), plug.socket.close({ linger: 0 })]);
  }
}

export const recordCommand = command({
  synopsis: "zwire record <type> [options] file",
  about: `Records what a socket receives, with times, until --count or a signal ends it; zwire replay sends it again. The type is one of
${Object.keys(RECEIVERS).join(", ")}.
The file - is standard output. To record what passes through a proxy, record what its capture socket sends.`,
  options: {
    ...attaching("SUB"),
    subscribe: {
      kind: text("TOPIC"),
      short: "s",
      many: true,
      help: "sub, xsub: record messages that begin with this; everything if it is not given",
    },
    join: { kind: text("GROUP"), short: "j", many: true, help: "dish: record the messages to this group" },
    count: { kind: integer(1), short: "n", help: "end after so many messages" },
    ...WAITING,
    force: { help: "replace the file if it exists" },
    quiet: { short: "q", help: "show no progress" },
  },
  positionals: { shown: "argument", least: 2, most: 2, completes: "files" },
  examples: [
    ["zwire record sub --connect tcp://127.0.0.1:5556 today.zwr", "what is published, until Ctrl-C"],
    ["zwire record pull --bind tcp://127.0.0.1:5555 --count 1000 jobs.zwr", "a thousand jobs"],
    ["zwire record sub --connect tcp://127.0.0.1:5556 - | gzip > today.zwr.gz", "the same, packed"],
  ],
  async run({ values, positionals: [name, file] }, output: Output) {
    const kind = kindOf(RECEIVERS, name);
    const ending = new Ending(output);
    try {
      const writer = await RecordingWriter.open(file, values.force, output);
      const create = (options: Record<string, unknown>) => kind.create(options, values);
      const plug = await attach("record", kind.type, values, create, output).catch(async (error) => {
        await writer.abandon();
        throw error;
      });
      const { bind, connect } = values;
      try {
        await writer.begin({ socket: name, bind, connect, writer: `zwire ${version}` });
      } catch (error) {
        // As on a full disk. A socket that stays takes messages and loses them.
        await Promise.allSettled([writer.abandon(), plug.socket.close({ linger: 0 })]);
        throw error;
      }
      const progress = new Progress(!values.quiet && !(file === STANDARD && process.stdout.isTTY));
      const timeout = values.timeout ?? -1;
      await carryOut({ plug, writer, progress, ending, timeout }, values.count ?? Infinity);
      return ending.signal.aborted ? ending.exitCode(values.count !== undefined) : EXIT.ok;
    } finally {
      ending.release();
    }
  },
});
