/**
 * Names and passwords for PLAIN, as a table or a file. Passwords are compared in constant time, by their digests, and are kept as
 * digests only.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { stat } from "node:fs/promises";
import type { ZmqError } from "../base/errors.js";
import { Buffer, randomBytes, type SystemError } from "../base/platform.js";
import type { AuthenticationRequest } from "../security/authenticator.js";
import type { Authenticate, AuthenticationAnswer } from "../security/callback.js";
import { checkPath, fileFault, readText, stampOf } from "./files.js";
import { Readings } from "./readings.js";
import { Telling } from "./telling.js";

/** Passwords by user name. */
export type Passwords = Readonly<Record<string, string>> | ReadonlyMap<string, string>;

/** PLAIN carries no more (RFC 24). */
const CREDENTIAL_MAX = 255;
/** A file for some ten thousand users. */
const PASSWORD_FILE_MAX = 4 * 1024 * 1024;
/** Of this process: a digest says nothing to who reads its memory later. */
const KEY = randomBytes(32);
const NOBODY = randomBytes(32);

function digestOf(password: string): Buffer {
  return createHmac("sha256", KEY).update(password).digest();
}

/** What is known about users. A name that is not known costs as much as a wrong password. */
export class PasswordTable {
  readonly #digests = new Map<string, Buffer>();

  /** Adds a user. @returns what is wrong with the credentials; undefined if they are added */
  add(name: string, password: string): string | undefined {
    if (name === "") return "the name is empty";
    for (const [what, text] of [
      ["the name", name],
      ["the password", password],
    ])
      if (Buffer.byteLength(text) > CREDENTIAL_MAX)
        return `${what} must have at most ${CREDENTIAL_MAX} bytes`;
    if (this.#digests.has(name)) return "the name is there already";
    this.#digests.set(name, digestOf(password));
    return undefined;
  }

  matches(name: string, password: string): boolean {
    const known = this.#digests.get(name);
    const same = timingSafeEqual(known ?? NOBODY, digestOf(password));
    return same && known !== undefined;
  }
}

/** Checks a table that a program gave. @throws TypeError, RangeError, without a password in it */
export function passwordTable(passwords: unknown): PasswordTable {
  if (typeof passwords !== "object" || passwords === null || Array.isArray(passwords))
    throw new TypeError("passwords must be an object or a Map of passwords by user name");
  const table = new PasswordTable();
  for (const [name, password] of passwords instanceof Map ? passwords : Object.entries(passwords)) {
    if (typeof name !== "string" || typeof password !== "string")
      throw new TypeError(
        `passwords: the password of ${String(name)} must be a string; got ${typeof password}`,
      );
    const fault = table.add(name, password);
    if (fault !== undefined) throw new RangeError(`passwords: ${JSON.stringify(name)}: ${fault}`);
  }
  return table;
}

/** Whether a peer may enter, by a table. */
export function answerOf(table: PasswordTable, request: AuthenticationRequest): AuthenticationAnswer {
  if (request.mechanism !== "PLAIN") return { status: 400, text: "only PLAIN has passwords" };
  const { username, password } = request;
  if (!table.matches(username, password)) return { status: 400, text: "unknown user, or wrong password" };
  return username === "" ? true : username;
}

/** The events of a file of passwords. */
export interface PasswordFileEvents {
  /** The file cannot be used. What it had before counts. */
  "file:error": { readonly file: string; readonly error: Error };
}

/** A file of names and passwords, made by passwordFile(). */
export class PasswordFile extends Telling<PasswordFileEvents> {
  readonly path: string;
  /** For the option `authenticate` of a PLAIN server. The user id of a peer is its name. */
  readonly authenticate: Authenticate;
  #table = new PasswordTable();
  /** Of the version that was read last, also if it could not be used. */
  #stamp = "";
  readonly #readings = new Readings(() => this.#read());
  #told = "";

  /** @internal use passwordFile() */
  constructor(path: string) {
    super(["file:error"]);
    this.path = path;
    this.authenticate = async (request) => {
      await this.#refresh();
      return answerOf(this.#table, request);
    };
  }

  /** Reads the file now. Rejects if it cannot be read; then nothing changes. */
  reload(): Promise<void> {
    return this.#readings.again();
  }

  /** Reads the file if it has changed. A file that is gone has no users. */
  async #refresh(): Promise<void> {
    try {
      const stamp = stampOf(await stat(this.path, { bigint: true }));
      if (stamp === "" || stamp !== this.#stamp) await this.#readings.look();
    } catch (error) {
      if ((error as SystemError).code === "ENOENT") this.#table = new PasswordTable();
      const { message } = error as Error;
      if (this.#told !== message) this.tell("file:error", { file: this.path, error: error as Error });
      this.#told = message;
    }
  }

  async #read(): Promise<void> {
    this.#stamp = "";
    const stamp = stampOf(await stat(this.path, { bigint: true }));
    try {
      this.#table = parsePasswords(this.path, await readText(this.path, PASSWORD_FILE_MAX));
      this.#told = "";
    } catch (error) {
      // Only a change makes its content right. What else is wrong may pass.
      if ((error as ZmqError).code === "EINVAL") this.#stamp = stamp;
      throw error;
    }
    this.#stamp = stamp;
  }
}

/** Lines of name=password, as CZMQ's zhash has them. @throws ZmqError EINVAL with the line, without the password */
function parsePasswords(path: string, text: string): PasswordTable {
  const table = new PasswordTable();
  for (const [at, raw] of text.split("\n").entries()) {
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    if (line === "" || line.startsWith("#")) continue;
    const equals = line.indexOf("=");
    const fault =
      equals < 0 ? "must be: name=password" : table.add(line.slice(0, equals), line.slice(equals + 1));
    if (fault !== undefined) throw fileFault(path, at + 1, fault);
  }
  return table;
}

/**
 * Reads a file of passwords for PLAIN: a line `name=password` for each user, as CZMQ's zauth has it; `#` begins a comment. It is
 * read again when it has changed. A file that cannot be read keeps what it had, and "file:error" tells; one that is gone has no
 * users.
 *
 * Rejects with the error of the file system, and with ZmqError EINVAL, naming the line, for a file that is not such a list or
 * is above 4 MiB.
 */
export async function passwordFile(path: string): Promise<PasswordFile> {
  const file = new PasswordFile(checkPath("path", path));
  await file.reload();
  return file;
}
