/**
 * `zwire keygen`: a new pair of CURVE keys, printed or in files. If a secret key goes to a file, it is shown only when
 * asked for, and only the owner can read the file, from its first moment.
 */
import { closeSync, existsSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { type CurveKeyPair, curveKeyPair } from "../../security/crypto/keys.js";
import { command, type Output } from "../command.js";
import { EXIT, UsageError } from "../errors.js";

const SECRET_MODE = 0o600;
const PUBLIC_MODE = 0o644;

/** Writes a whole file or none. The file has its permissions from its first moment. */
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
  // Replaces a file that others can read. Writing into it would keep its permissions.
  if (force) renameSync(target, path);
}

function save(path: string, pair: CurveKeyPair, force: boolean): void {
  const publicPath = `${path}.pub`;
  const existing = force ? undefined : [path, publicPath].find((one) => existsSync(one));
  if (existing !== undefined) throw new Error(`${existing} exists already. Use --force to replace it.`);
  write(path, `${JSON.stringify(pair, null, 2)}\n`, SECRET_MODE, force);
  write(publicPath, `${pair.publicKey}\n`, PUBLIC_MODE, force);
}

function print(output: Output, { publicKey, secretKey }: CurveKeyPair, secret: boolean): void {
  output.out(`public key: ${publicKey}\n`);
  if (secret) output.out(`secret key: ${secretKey}\n`);
}

export const keygen = command({
  synopsis: "zwire keygen [file] [options]",
  about: `Makes a pair of CURVE keys. Without a file, prints both keys. With a file, writes
  file       both keys as JSON, mode 0600:  { "publicKey": "…", "secretKey": "…" }
  file.pub   the public key alone, to give to clients
and prints only the public key.`,
  options: {
    force: { help: "replace the files if they exist" },
    "show-secret": { help: "print the secret key, too" },
  },
  positionals: { shown: "file", most: 1, completes: "files" },
  examples: [
    ["zwire keygen", "prints a pair of keys"],
    ["zwire keygen server", "writes server, to keep, and server.pub, to give to clients"],
  ],
  async run({ values, positionals: [file] }, output) {
    if (file === "") throw new UsageError("The name of the file is empty.");
    if (file === undefined && values.force) throw new UsageError("--force needs a file.");
    const pair = curveKeyPair();
    if (file !== undefined) save(file, pair, values.force);
    print(output, pair, file === undefined || values["show-secret"]);
    return EXIT.ok;
  },
});
