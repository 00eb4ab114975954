/**
 * Finds a Python that can run workers, and the error for programs that do not come up or do not stay.
 */
import { execFile } from "node:child_process";
import { RpcError } from "../errors.js";

/** Why a Python program could not be started or kept. */
export type PythonErrorCode =
  /** No Python, or none with pyzmq and msgpack. */
  | "ENOPYTHON"
  /** The script does not exist. */
  | "ENOENT"
  /** It ended before it answered, or ended too often. */
  | "EEXITED"
  /** It did not answer in time. */
  | "ENOTREADY"
  /** Not on this system. */
  | "ENOTSUP";

/** A Python program could not be started, or not be kept alive. */
export class PythonError extends RpcError {
  override name = "PythonError";
  readonly code: PythonErrorCode;
  /** The end of what the program wrote to stderr. The message ends with it, too. */
  declare readonly stderr: string;

  constructor(code: PythonErrorCode, message: string, stderr = "", options?: ErrorOptions) {
    super(stderr === "" ? message : `${message}\n${stderr.trimEnd()}`, undefined, options);
    this.code = code;
    // Not enumerable: a printed error has it in the message.
    Object.defineProperty(this, "stderr", { value: stderr, enumerable: false });
  }
}

/** Names that are tried in turn. The python3 on PATH may lack the modules that Debian installs for /usr/bin/python3. */
const NAMES = ["python3", "/usr/bin/python3", "python"];
const INSTALL = "pip install pyzmq msgpack; on Debian: apt-get install python3-zmq python3-msgpack";

/** Why a command cannot run workers; null if it can. */
function lacks(command: string): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(command, ["-c", "import zmq, msgpack"], { encoding: "utf8" }, (error, _stdout, stderr) => {
      if (error === null) resolve(null);
      else resolve(stderr.trim().split("\n").pop() || error.message);
    });
  });
}

/** Kept for the whole process: looking takes tenths of a second, and what is installed is the same for all. */
let found: Promise<string> | undefined;

/**
 * The first Python that has pyzmq and msgpack.
 * @throws PythonError ENOPYTHON
 */
export function findPython(): Promise<string> {
  found ??= search();
  found.catch(() => {
    found = undefined; // it may be installed by the next time
  });
  return found;
}

async function search(): Promise<string> {
  const reasons: string[] = [];
  for (const name of NAMES) {
    const reason = await lacks(name);
    if (reason === null) return name;
    reasons.push(`${name}: ${reason}`);
  }
  throw new PythonError(
    "ENOPYTHON",
    `no Python with pyzmq and msgpack was found (${reasons.join("; ")}). Install them (${INSTALL}), or name a Python that has them with the option python`,
  );
}
