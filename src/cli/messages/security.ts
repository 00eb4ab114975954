/**
 * CURVE by files of keys, and PLAIN, from the command line.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import {
  type AuthenticationRequest,
  curveKeyPair,
  readCertificate,
  z85Decode,
  z85Encode,
} from "../../index.js";
import { UsageError } from "../errors.js";
import { type OptionRows, path, text, type Values } from "../options.js";

/** Options of all that bind or connect. */
export const SECURITY = {
  "curve-secret-file": {
    kind: path(),
    help: "CURVE: our secret certificate, such as NAME_secret of zwire keygen; by itself it makes this side the server",
  },
  "curve-server-key": {
    kind: { ...path(), shown: "KEY|FILE" },
    help: "CURVE client: the server's public key, or its certificate; without --curve-secret-file our keys are made afresh",
  },
  "curve-client-key": {
    kind: { ...path(), shown: "KEY|FILE" },
    many: true,
    help: "CURVE server: the key or certificate of a client that is let in; without any, all are who know the server's key",
  },
  "plain-username": { kind: text("NAME"), help: "PLAIN: the user's name" },
  "plain-password-file": {
    kind: path(),
    help: "PLAIN: the file whose first line is the password",
  },
  "plain-server": { help: "PLAIN server: lets in who gives this name and password" },
} as const satisfies OptionRows;

const KEY_CHARACTERS = 40;

function isKey(given: string): boolean {
  if (given.length !== KEY_CHARACTERS) return false;
  try {
    z85Decode(given);
    return true;
  } catch {
    return false;
  }
}

/** A public key: itself, or that of a certificate. @throws UsageError */
async function publicKey(given: string, option: string): Promise<string> {
  if (existsSync(given)) return (await readCertificate(given)).publicKey;
  if (isKey(given)) return given;
  throw new UsageError(`${option} must be a key of 40 characters or a file; there is no file ${given}`);
}

async function secretKey(file: string): Promise<string> {
  return (await readCertificate(file, { secret: true })).secretKey;
}

type Given = Values<typeof SECURITY>;

async function curve(given: Given): Promise<Record<string, unknown>> {
  const file = given["curve-secret-file"];
  const server = given["curve-server-key"];
  const clients = given["curve-client-key"];
  if (server !== undefined) {
    if (clients.length > 0)
      throw new UsageError("--curve-client-key is for a server: leave out --curve-server-key");
    return {
      curveServerKey: await publicKey(server, "--curve-server-key"),
      curveSecretKey: file === undefined ? curveKeyPair().secretKey : await secretKey(file),
    };
  }
  if (file === undefined) {
    if (clients.length > 0) throw new UsageError("--curve-client-key needs --curve-secret-file");
    return {};
  }
  const known = await Promise.all(clients.map((one) => publicKey(one, "--curve-client-key")));
  return {
    curveServer: true,
    curveSecretKey: await secretKey(file),
    ...(known.length > 0 && {
      authenticate: (request: AuthenticationRequest) =>
        request.mechanism === "CURVE" && known.includes(z85Encode(request.publicKey)),
    }),
  };
}

const digest = (value: string) => createHash("sha256").update(value).digest();
/** Takes as long whatever of it is right. */
const same = (a: string, b: string) => timingSafeEqual(digest(a), digest(b));

async function plain(given: Given): Promise<Record<string, unknown>> {
  const file = given["plain-password-file"];
  const username = given["plain-username"];
  if (username === undefined) {
    if (file !== undefined || given["plain-server"]) throw new UsageError("PLAIN needs --plain-username");
    return {};
  }
  if (file === undefined) throw new UsageError("--plain-username needs --plain-password-file");
  const [password] = (await readFile(file, "utf8")).split(/\r?\n/, 1);
  if (!given["plain-server"]) return { plainUsername: username, plainPassword: password };
  // As a file that was never written: it must not let in who gives no password.
  if (password === "")
    throw new UsageError(`--plain-server needs a password: the first line of ${file} is empty`);
  return {
    plainServer: true,
    authenticate: (request: AuthenticationRequest) =>
      request.mechanism === "PLAIN" &&
      same(request.username, username) &&
      same(request.password, password) &&
      username,
  };
}

/**
 * The socket options that the command line asks for.
 * @throws UsageError; Error for a file that cannot be read or has no key
 */
export async function securityOptions(given: Given): Promise<Record<string, unknown>> {
  const found = { ...(await curve(given)), ...(await plain(given)) };
  if ("plainServer" in found || "plainUsername" in found)
    if ("curveSecretKey" in found)
      throw new UsageError("Give the options of CURVE or those of PLAIN, not both.");
  return found;
}
