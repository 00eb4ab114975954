/**
 * `zwire keygen`: a new pair of CURVE keys, printed or in files. A secret key that goes to a file is shown only when asked
 * for, and nobody but the owner may read the file, at no moment.
 */
import { closeSync, existsSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { parseArgs } from "node:util";
import { type CurveKeyPair, curveKeyPair } from "../security/crypto/keys.js";
import { type Command, type Output, UsageError } from "./command.js";

const USAGE = `zwire keygen [file] [--force] [--show-secret]

Makes a pair of CURVE keys. Without a file both are printed. With one:
  file       both keys as JSON, mode 0600:  { "publicKey": "…", "secretKey": "…" }
  file.pub   the public key alone, for clients
and only the public key is printed.

  --force        replace files that are there
  --show-secret  print the secret key too`;

const SECRET_MODE = 0o600;
const PUBLIC_MODE = 0o644;

/** Writes a file that has its permissions from the beginning, whole or not at all. */
function write(path: string, text: string, mode: number, force: boolean): void {
  const target = force ? `${path}.${process.pid}.new` : path;
  const file = openSync(target, "wx", mode);
  try {
    writeSync(file, text);
  } catch (error) {
    rmSync(target, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
  if (force) renameSync(target, path); // also what was readable for others is replaced, not written to
}

function save(path: string, pair: CurveKeyPair, force: boolean): void {
  const open = `${path}.pub`;
  const there = force ? undefined : [path, open].find((one) => existsSync(one));
  if (there !== undefined) throw new Error(`${there} is there already; --force replaces it`);
  write(path, `${JSON.stringify(pair, null, 2)}\n`, SECRET_MODE, force);
  write(open, `${pair.publicKey}\n`, PUBLIC_MODE, force);
}

function print(output: Output, { publicKey, secretKey }: CurveKeyPair, secret: boolean): void {
  output.out(`public key: ${publicKey}\n`);
  if (secret) output.out(`secret key: ${secretKey}\n`);
}

export const keygen: Command = {
  summary: "make a pair of CURVE keys",
  usage: USAGE,
  async run(args, output) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { force: { type: "boolean" }, "show-secret": { type: "boolean" } },
    });
    const [file, ...rest] = positionals;
    if (rest.length > 0) throw new UsageError(`one file at most; got ${positionals.join(" ")}`);
    if (file === "") throw new UsageError("the file's name is empty");
    if (file === undefined && values.force) throw new UsageError("--force needs a file");
    const pair = curveKeyPair();
    if (file !== undefined) save(file, pair, values.force ?? false);
    print(output, pair, file === undefined || (values["show-secret"] ?? false));
    return 0;
  },
};
