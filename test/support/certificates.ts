/**
 * Certificates for tests, made when they are needed by the command openssl: Node cannot make any. Those of one authority are kept,
 * because each costs two processes. Knows nothing of zwire.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "zwire-certificates-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
let made = 0;

/** Runs openssl in the folder of the certificates. */
export function openssl(...words: string[]): string {
  return execFileSync("openssl", words, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** A certificate and its key, in PEM, and the names of their files for programs that want files. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** What a certificate shall be. */
export interface Wish {
  /** The common name. */
  readonly cn?: string;
  /** subjectAltName in openssl's notation; "" for none. */
  readonly names?: string;
  /** How long it is valid; negative: it has expired. */
  readonly days?: number;
  /** Encrypts the key. */
  readonly passphrase?: string;
}

const LOCAL = "DNS:localhost,IP:127.0.0.1,IP:::1";

function read(certFile: string, keyFile: string): Identity {
  return {
    cert: readFileSync(join(folder, certFile), "utf8"),
    key: readFileSync(join(folder, keyFile), "utf8"),
    certFile: join(folder, certFile),
    keyFile: join(folder, keyFile),
  };
}

/** An authority that signs certificates. */
export class Authority {
  readonly #own: Identity;
  readonly #kept = new Map<string, Identity>();
  readonly #name: string;

  constructor(cn = "Test Authority") {
    this.#name = `authority-${made++}`;
    const files = ["-keyout", `${this.#name}.key`, "-out", `${this.#name}.pem`];
    openssl("req", "-x509", ...NEW_KEY, "-nodes", "-days", "30", "-subj", `/CN=${cn}`, ...files);
    this.#own = read(`${this.#name}.pem`, `${this.#name}.key`);
  }

  get cert(): string {
    return this.#own.cert;
  }

  get certFile(): string {
    return this.#own.certFile;
  }

  /** A certificate that this authority has signed; for this host unless said otherwise. */
  issue(wish: Wish = {}): Identity {
    const wanted = JSON.stringify(wish);
    const kept = this.#kept.get(wanted);
    if (kept !== undefined) return kept;
    const { cn = "localhost", names = LOCAL, days = 30, passphrase } = wish;
    const name = `certificate-${made++}`;
    const secret = passphrase === undefined ? ["-nodes"] : ["-passout", `pass:${passphrase}`];
    openssl(
      "req",
      "-new",
      ...NEW_KEY,
      ...secret,
      "-subj",
      `/CN=${cn}/O=Tests`,
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.csr`,
    );
    writeFileSync(join(folder, `${name}.ext`), names === "" ? "" : `subjectAltName=${names}\n`);
    const by = ["-CA", `${this.#name}.pem`, "-CAkey", `${this.#name}.key`, "-CAcreateserial"];
    openssl(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      ...by,
      "-days",
      `${days}`,
      "-extfile",
      `${name}.ext`,
      "-out",
      `${name}.pem`,
    );
    const identity = read(`${name}.pem`, `${name}.key`);
    this.#kept.set(wanted, identity);
    return identity;
  }

  /** The list of revoked certificates, with one of them. */
  revoke(identity: Identity): string {
    const base = join(folder, `revoked-${made++}`);
    writeFileSync(`${base}.txt`, "");
    writeFileSync(`${base}.number`, "01\n");
    const settings = ["[ca]", "default_ca=own", "[own]", `database=${base}.txt`, `crlnumber=${base}.number`];
    writeFileSync(`${base}.cnf`, [...settings, "default_md=sha256", "default_crl_days=30", ""].join("\n"));
    const own = ["-config", `${base}.cnf`, "-cert", this.#own.certFile, "-keyfile", this.#own.keyFile];
    openssl("ca", ...own, "-revoke", identity.certFile);
    openssl("ca", ...own, "-gencrl", "-out", `${base}.crl`);
    return readFileSync(`${base}.crl`, "utf8");
  }
}

/** A certificate that nobody but its owner has signed. */
export function selfSigned(): Identity {
  const name = `self-signed-${made++}`;
  const files = ["-keyout", `${name}.key`, "-out", `${name}.pem`];
  const names = ["-addext", `subjectAltName=${LOCAL}`];
  openssl("req", "-x509", ...NEW_KEY, "-nodes", "-days", "30", "-subj", "/CN=localhost", ...names, ...files);
  return read(`${name}.pem`, `${name}.key`);
}

/** Certificate and key in one file (PKCS #12). */
export function pfxOf({ certFile, keyFile }: Identity, passphrase: string): Buffer {
  const name = `pfx-${made++}.p12`;
  openssl(
    "pkcs12",
    "-export",
    "-in",
    certFile,
    "-inkey",
    keyFile,
    "-passout",
    `pass:${passphrase}`,
    "-out",
    name,
  );
  return readFileSync(join(folder, name));
}
