/**
 * The command `zwire-rpc`: asks a zerorpc server from a terminal.
 */
import { connect } from "../../rpc.js";
import type { Output } from "../command.js";
import { columns } from "../options.js";
import type { Job } from "./command.js";
import { COMMANDS } from "./commands.js";
import { complaint, exitCode } from "./errors.js";
import { readJob } from "./job.js";

const USAGE = `zwire-rpc: calls the functions of a zerorpc server (zwire, Python) from a terminal

${columns(COMMANDS.map(({ name, usage, summary }) => [`zwire-rpc ${name} ENDPOINT ${usage}`, summary]))}
  ENDPOINT is tcp://host:port or ipc://path. ARGUMENT is JSON: 3, '"text"', '[1, 2]', '{"a": null}'; {"$base64": "…"} is bytes.

  -t, --timeout MS   how long to wait for the first answer (default 10000; 0: for ever)
  -s, --strings      take arguments as text, not as JSON
  -p, --pretty       print results over several lines
  -n, --limit N      stream: leave after N values
  -v, --verbose      print errors with the traceback of the server
  -h, --help         print this text

  exit code: 0 all went well, 1 the function raised an error, 2 wrong arguments, 3 no answer in time, 4 the connection
  broke, 5 anything else
`;

async function run(job: Job, output: Output): Promise<void> {
  const command = await job.command.load();
  const remote = connect(job.endpoint, { timeout: job.timeout });
  try {
    await command(remote, job, output);
  } finally {
    await remote.$close();
  }
}

/** Runs a command line. Resolves to the exit code. */
export async function main(argv: readonly string[], output: Output): Promise<number> {
  let job: Job | null = null;
  try {
    job = readJob(argv);
    if (job === null) output.out(USAGE);
    else await run(job, output);
    return 0;
  } catch (error) {
    output.error(complaint(error, job?.verbose ?? false));
    return exitCode(error);
  }
}
