/**
 * Certificates: a CURVE key, or a pair of them, in a text file with metadata, as CZMQ (zcert) and pyzmq (zmq.auth) have them.
 * The public one is NAME, the secret one NAME_secret.
 */
import { rm } from "node:fs/promises";
import { hiding } from "../base/hiding.js";
import { wallClockMs } from "../base/platform.js";
import { type CurveKey, curveKeyPair, curvePublicKey, parseKey } from "../security/crypto/keys.js";
import { z85Encode } from "../security/crypto/z85.js";
import { checkPath, fileFault, readText, writeText } from "./files.js";
import { parseZpl, type ZplItem, zplLine } from "./zpl.js";

/** A certificate: the keys of one peer, and what is said about it. Keys are 40 characters of Z85. */
export interface Certificate {
  /** May be given to anybody. */
  readonly publicKey: string;
  /** Absent from a public certificate. It is not enumerable, so that it is neither printed nor copied by accident. */
  readonly secretKey?: string;
  /** Names and values that somebody chose: nothing vouches for them. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** A certificate with its secret key. */
export type SecretCertificate = Certificate & { readonly secretKey: string };

/** Options of `readCertificate`. */
export interface ReadCertificateOptions {
  /** Whether the file must have a secret key. Default false. */
  readonly secret?: boolean;
}

/** Options of `writeCertificate`. */
export interface WriteCertificateOptions {
  /** Whether to replace files that are there. Default false. */
  readonly force?: boolean;
}

/** The files that `writeCertificate` has written. */
export interface CertificateFiles {
  readonly publicFile: string;
  /** Absent for a public certificate. */
  readonly secretFile?: string;
}

/** What the name of a secret certificate ends with. */
export const SECRET = "_secret";
const SECRET_MODE = 0o600;
const PUBLIC_MODE = 0o644;
/** CZMQ's text for a secret key that is not there. */
const NO_KEY = "0".repeat(40);
const KEYS = ["public-key", "secret-key"];

function certificateOf(
  publicKey: string,
  secretKey: string | undefined,
  metadata: Readonly<Record<string, string>>,
): Certificate {
  const certificate = { publicKey, metadata: Object.freeze(metadata) };
  return secretKey === undefined ? Object.freeze(certificate) : hiding(certificate, { secretKey });
}

/**
 * A certificate with a new pair of keys.
 * @throws TypeError, RangeError for metadata that a certificate's file cannot have: see writeCertificate
 */
export function generateCertificate(metadata: Readonly<Record<string, string>> = {}): SecretCertificate {
  const { publicKey, secretKey } = curveKeyPair();
  checkedMetadata(metadata);
  return certificateOf(publicKey, secretKey, { ...metadata }) as SecretCertificate;
}

/**
 * Reads a certificate that zwire, CZMQ or pyzmq has written: a public one, such as `client.key`, or a secret one, such as
 * `client.key_secret`. Only this file is read.
 *
 * Rejects with the error of the file system (`ENOENT`, `EACCES`); with ZmqError EINVAL, naming file and line, for a file that
 * is not a certificate, is above 64 KiB, has keys that do not belong together or, if you ask for one, has no secret key.
 */
export function readCertificate(path: string, options: { readonly secret: true }): Promise<SecretCertificate>;
export function readCertificate(path: string, options?: ReadCertificateOptions): Promise<Certificate>;
export async function readCertificate(
  path: string,
  options: ReadCertificateOptions = {},
): Promise<Certificate> {
  checkPath("path", path);
  const { secret } = checkedOptions(options, "secret");
  const certificate = parseCertificate(path, await readText(path));
  if (secret === true && certificate.secretKey === undefined)
    throw fileFault(path, 0, `has no secret key: the one of a public certificate is in NAME${SECRET}`);
  return certificate;
}

/**
 * The certificate in the text of a file.
 * @throws ZmqError EINVAL naming `path` and the line
 */
export function parseCertificate(path: string, text: string): Certificate {
  const sections = parseZpl(path, text);
  const curve = sections.get("curve");
  if (curve === undefined) throw fileFault(path, 0, "is not a certificate: it has no section curve");
  const [publicItem, secretItem] = KEYS.map((name) => onlyOne(path, curve, name));
  if (publicItem === undefined) throw fileFault(path, 0, "has no public-key in its section curve");
  const publicKey = keyOf(path, publicItem);
  const secretKey =
    secretItem === undefined || secretItem.value === NO_KEY ? undefined : keyOf(path, secretItem);
  if (secretKey !== undefined && curvePublicKey(secretKey) !== publicKey)
    throw fileFault(path, secretItem?.line ?? 0, "the secret-key and the public-key do not belong together");
  const metadata = new Map<string, string>();
  for (const { name, value } of sections.get("metadata") ?? [])
    if (!metadata.has(name)) metadata.set(name, value); // the first counts, as for CZMQ
  return certificateOf(publicKey, secretKey, Object.fromEntries(metadata));
}

/** Two keys in one file would be read as one or the other, as a reader pleases. */
function onlyOne(path: string, items: readonly ZplItem[], name: string): ZplItem | undefined {
  const [one, other] = items.filter((item) => item.name === name);
  if (other !== undefined) throw fileFault(path, other.line, `is a second ${name}`);
  return one;
}

function keyOf(path: string, { name, value, line }: ZplItem): string {
  try {
    return z85Encode(parseKey(name, value));
  } catch (error) {
    throw fileFault(path, line, (error as Error).message);
  }
}

/**
 * Writes a certificate so that zwire, CZMQ and pyzmq can read it: its public half to `path` and, if it has a secret key, the
 * whole to `path` with `_secret` behind it, which only the owner can read, from its first moment. Metadata is in both.
 *
 * Rejects with the error of the file system: EEXIST if one of the files is there and `force` is not true; then none is written.
 * Rejects with a TypeError or RangeError for a wrong key, keys that do not belong together, and for metadata that is not one
 * line of text, has both kinds of quotes in one value, or a name of other characters than letters, digits and `$-_@.&+`.
 */
export async function writeCertificate(
  path: string,
  certificate: {
    readonly publicKey: CurveKey;
    readonly secretKey?: CurveKey;
    readonly metadata?: Certificate["metadata"];
  },
  options: WriteCertificateOptions = {},
): Promise<CertificateFiles> {
  checkPath("path", path);
  const { force = false } = checkedOptions(options, "force");
  if (typeof certificate !== "object" || certificate === null)
    throw new TypeError("certificate must be an object with a publicKey");
  const publicKey = z85Encode(parseKey("certificate.publicKey", certificate.publicKey));
  const metadata = checkedMetadata(certificate.metadata ?? {});
  if (certificate.secretKey === undefined) {
    await writeText(path, publicText(publicKey, metadata), PUBLIC_MODE, force);
    return { publicFile: path };
  }
  const secretKey = z85Encode(parseKey("certificate.secretKey", certificate.secretKey));
  if (curvePublicKey(secretKey) !== publicKey)
    throw new TypeError(
      "certificate.publicKey contradicts certificate.secretKey: they do not belong together",
    );
  const secretFile = `${path}${SECRET}`;
  await writeText(secretFile, secretText(publicKey, secretKey, metadata), SECRET_MODE, force);
  try {
    await writeText(path, publicText(publicKey, metadata), PUBLIC_MODE, force);
  } catch (error) {
    if (!force) await rm(secretFile, { force: true }); // it is ours: it was not there before
    throw error;
  }
  return { publicFile: path, secretFile };
}

/** Checks the options of a call that has one flag. */
function checkedOptions(options: unknown, flag: string): Record<string, boolean | undefined> {
  if (typeof options !== "object" || options === null) throw new TypeError("options must be an object");
  for (const [name, value] of Object.entries(options)) {
    if (name !== flag) throw new TypeError(`unknown option "${name}"; there is ${flag}`);
    if (value !== undefined && typeof value !== "boolean")
      throw new TypeError(`${name} must be true or false; got ${typeof value}`);
  }
  return options as Record<string, boolean | undefined>;
}

/** The lines of metadata. @throws TypeError, RangeError */
function checkedMetadata(metadata: unknown): string {
  if (typeof metadata !== "object" || metadata === null)
    throw new TypeError("metadata must be an object of names and texts");
  return Object.entries(metadata)
    .map(([name, value]) => zplLine(name, value))
    .join("");
}

function banner(): string {
  const now = new Date(wallClockMs()).toISOString().slice(0, 19).replace("T", " ");
  return `#   ****  Generated on ${now} UTC by zwire  ****\n`;
}

function publicText(publicKey: string, metadata: string): string {
  return `${banner()}#   ZeroMQ CURVE Public Certificate
#   Exchange securely, or use a secure mechanism to verify the contents of
#   this file after exchange.

metadata
${metadata}curve
    public-key = "${publicKey}"
`;
}

function secretText(publicKey: string, secretKey: string, metadata: string): string {
  return `${banner()}#   ZeroMQ CURVE **Secret** Certificate
#   DO NOT PROVIDE THIS FILE TO OTHER USERS nor change its permissions.

metadata
${metadata}curve
    public-key = "${publicKey}"
    secret-key = "${secretKey}"
`;
}
