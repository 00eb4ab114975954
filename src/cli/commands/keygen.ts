/**
 * `zwire keygen`: a new pair of CURVE keys, printed or in certificates that CZMQ and pyzmq read, too; or those of a certificate
 * that is there. If a secret key goes to a file, it is shown only when asked for.
 */
import { existsSync } from "node:fs";
import {
  type Certificate,
  type CertificateFiles,
  generateCertificate,
  readCertificate,
  writeCertificate,
} from "../../access/certificate.js";
import { command, type Output } from "../command.js";
import { EXIT, UsageError } from "../errors.js";
import { type Kind, path } from "../options.js";

/** `name=value`. */
const pair: Kind<readonly [name: string, value: string]> = {
  shown: "NAME=VALUE",
  read: (given, name) => {
    const equals = given.indexOf("=");
    if (equals < 1) throw new UsageError(`${name} must be NAME=VALUE; got "${given}"`);
    return [given.slice(0, equals), given.slice(equals + 1)];
  },
};

/** New keys, or those of a file. More metadata replaces what is there. */
async function certificate(
  from: string | undefined,
  meta: readonly (readonly [string, string])[],
): Promise<Certificate> {
  const made = Object.fromEntries(meta);
  if (from === undefined) {
    try {
      return generateCertificate(made);
    } catch (error) {
      throw new UsageError((error as Error).message);
    }
  }
  const { publicKey, secretKey, metadata } = await readCertificate(from);
  return { publicKey, ...(secretKey === undefined ? {} : { secretKey }), metadata: { ...metadata, ...made } };
}

async function save(file: string, made: Certificate, force: boolean): Promise<CertificateFiles> {
  const files = made.secretKey === undefined ? [file] : [file, `${file}_secret`];
  const existing = force ? undefined : files.find((one) => existsSync(one));
  if (existing !== undefined) throw new Error(`${existing} exists already. Use --force to replace it.`);
  return writeCertificate(file, made, { force });
}

function print(output: Output, { publicKey, secretKey, metadata }: Certificate, secret: boolean): void {
  output.out(`public key: ${publicKey}\n`);
  if (secret && secretKey !== undefined) output.out(`secret key: ${secretKey}\n`);
  for (const [name, value] of Object.entries(metadata)) output.out(`metadata ${name}: ${value}\n`);
}

export const keygen = command({
  synopsis: "zwire keygen [name] [options]",
  about: `Makes a pair of CURVE keys. Without a name, prints both keys. With a name, writes two certificates,
which zwire, CZMQ and pyzmq read, and prints the public key:
  name          the public key, to give to peers
  name_secret   both keys, mode 0600, to keep
pyzmq looks only for names that end with .key in a folder of allowed keys.`,
  options: {
    from: { kind: path(), help: "take the keys of this certificate, instead of new ones" },
    meta: { kind: pair, many: true, help: "metadata of the certificates, such as name=Ann" },
    force: { help: "replace the files if they exist" },
    "show-secret": { help: "print the secret key, too" },
  },
  positionals: { shown: "name", most: 1, completes: "files" },
  examples: [
    ["zwire keygen", "prints a pair of keys"],
    ["zwire keygen server.key", "writes server.key, to give to clients, and server.key_secret, to keep"],
    ["zwire keygen keys/ann.key --meta name=Ann", "a client, with a name in both files"],
    ["zwire keygen --from server.key_secret", "shows whose key it is, and no secret"],
    ["zwire keygen --from server.key_secret server.key --force", "writes a lost public file again"],
  ],
  async run({ values, positionals: [file] }, output) {
    if (file === "") throw new UsageError("The name of the files is empty.");
    if (file === undefined && values.force) throw new UsageError("--force needs a name.");
    if (file === undefined && values.meta.length > 0)
      throw new UsageError("--meta needs a name: metadata is in files.");
    const made = await certificate(values.from, values.meta);
    if (file !== undefined) await save(file, made, values.force);
    const printed = file === undefined && values.from === undefined;
    print(output, made, printed || values["show-secret"]);
    return EXIT.ok;
  },
});
