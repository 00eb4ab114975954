/**
 * Finds a Python that can run workers, and has the error for Python programs that fail.
 */
import { execFile } from "node:child_process";
import { RpcError } from "../errors.js";

/** Why a Python program could not be started or kept running. */
export type PythonErrorCode =
  /** There is no Python, or none with pyzmq and msgpack. */
  | "ENOPYTHON"
  /** The script does not exist. */
  | "ENOENT"
  /** The program ended before it answered, or ended too often. */
  | "EEXITED"
  /** The program did not answer within `readyTimeout`. */
  | "ENOTREADY"
  /** Windows does not have ipc endpoints. */
  | "ENOTSUP";

/** A Python program could not be started, or could not be kept running. */
export class PythonError extends RpcError {
  override name = "PythonError";
  readonly code: PythonErrorCode;
  /** The last 4096 characters that the program wrote to stderr. `message` ends with them, too. */
  declare readonly stderr: string;

  constructor(code: PythonErrorCode, message: string, stderr = "", options?: ErrorOptions) {
    super(stderr === "" ? message : `${message}\n${stderr.trimEnd()}`, undefined, options);
    this.code = code;
    // Not enumerable, because a printed error has it in its message already.
    Object.defineProperty(this, "stderr", { value: stderr, enumerable: false });
  }
}

/** Commands to try in turn. The python3 on PATH may lack the modules that Debian installs for /usr/bin/python3. */
const NAMES = ["python3", "/usr/bin/python3", "python"];
const INSTALL = "pip install pyzmq msgpack; on Debian: apt-get install python3-zmq python3-msgpack";

/** Why a command cannot run workers; null if it can run them. */
function lacks(command: string): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(command, ["-c", "import zmq, msgpack"], { encoding: "utf8" }, (error, _stdout, stderr) => {
      if (error === null) resolve(null);
      else resolve(stderr.trim().split("\n").pop() || error.message);
    });
  });
}

/** The result, kept for the whole process: the search takes some tenths of a second. */
let found: Promise<string> | undefined;

/**
 * The first Python that has pyzmq and msgpack.
 * @throws PythonError ENOPYTHON
 */
export function findPython(): Promise<string> {
  found ??= search();
  found.catch(() => {
    found = undefined; // search again next time: it may be installed by then
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
