/**
 * The option `tls`: certificates, keys and what to ask of the other side, under the names of node:tls. The keys are read
 * when the option is set, so that a wrong one throws there, and no error text contains a secret.
 */

import { ZmqError } from "../../base/errors.js";
import { HIDDEN, hiding } from "../../base/hiding.js";
import { inspect, nodeTls } from "../../base/platform.js";
import { CONTEXT_CHECKS, OPTION_CHECKS } from "./fields.js";

type NodeTls = ReturnType<typeof nodeTls>;
/** A certificate with its key, read and checked: node:tls's own object. */
export type SecureContext = ReturnType<NodeTls["createSecureContext"]>;
/** The other side's certificate, as node:tls gives it to `checkServerIdentity`. */
export type PeerCertificate = Parameters<NodeTls["checkServerIdentity"]>[1];

/** PEM text or DER bytes; several in an array, or one after another in one PEM text. */
export type TlsMaterial = string | Uint8Array | readonly (string | Uint8Array)[];

/** Versions of TLS. */
export type TlsVersion = "TLSv1.3" | "TLSv1.2" | "TLSv1.1" | "TLSv1";

/** Who we are: a certificate with its key, and whom we trust. */
export interface TlsIdentity {
  /** Our certificate, followed by those that lead to its root; in PEM. Needs `key`. */
  readonly cert?: TlsMaterial;
  /** The private key of `cert`, in PEM. Hidden where the socket is inspected. */
  readonly key?: TlsMaterial;
  /** Opens an encrypted `key` or `pfx`. Hidden where the socket is inspected. */
  readonly passphrase?: string;
  /** Certificate and key in one (PKCS #12), instead of `cert` and `key`. Hidden where the socket is inspected. */
  readonly pfx?: string | Uint8Array;
  /** Whose signature makes us believe a certificate. They replace the authorities that come with Node, which are the default. */
  readonly ca?: TlsMaterial;
  /** Certificates that were revoked (PEM): the other side may have none of them. */
  readonly crl?: TlsMaterial;
}

/**
 * How connections over tls+tcp are secured, under the names of node:tls. Times and formats are those of node:tls, too.
 * Fields that concern the other role only (such as `servername` for a server) are ignored, so that one value can serve a socket
 * that binds and connects.
 */
export interface TlsOptions extends TlsIdentity {
  /** The lowest version that we accept. Default "TLSv1.3". */
  readonly minVersion?: TlsVersion;
  /** The highest version that we offer. Default "TLSv1.3". */
  readonly maxVersion?: TlsVersion;
  /** The ciphers that we accept, in OpenSSL's notation. Default: Node's. */
  readonly ciphers?: string;
  /** Protocols that we speak inside TLS (ALPN), the best first. A server refuses a client with other ones. Default: none are told. */
  readonly ALPNProtocols?: readonly string[];
  /** Server: ask each client for its certificate. Default false. */
  readonly requestCert?: boolean;
  /**
   * Close the connection if the other side has not proved who it is: a client checks each server, a server each client with
   * `requestCert`. With false everybody is let in, and `authenticate` (or you, by `peer.tls`) decides. Default true; NODE_TLS_REJECT_UNAUTHORIZED is
   * not read.
   */
  readonly rejectUnauthorized?: boolean;
  /** Client: the name that the server's certificate must have, and that it is asked for (SNI). Default: the host of the endpoint. */
  readonly servername?: string;
  /** Client: decides whether a certificate is for this host, in place of node:tls. An Error that is returned refuses it. */
  readonly checkServerIdentity?: (host: string, certificate: PeerCertificate) => Error | undefined;
  /**
   * Server: further certificates, by the server name that the client asks for; `*.example.com` is for all names one level below.
   * Where one has no `ca` or `crl`, those of `tls` hold.
   */
  readonly contexts?: Readonly<Record<string, TlsIdentity>>;
  /**
   * Server: chooses the certificate for a server name, where `contexts` has none. Calls back with a context of
   * `tls.createSecureContext()`, or with undefined for the usual one.
   */
  readonly SNICallback?: (
    servername: string,
    callback: (error: Error | null, context?: SecureContext) => void,
  ) => void;
}

const SECRET = ["key", "passphrase", "pfx"] as const;

/** The option as it was given: the secrets can be read, but are not enumerable. */
function described<T extends TlsIdentity>(given: T): T {
  const secrets = SECRET.filter((name) => given[name] !== undefined).map((name) => [name, given[name]]);
  const open = Object.entries(given).filter(([name, value]) => !isSecret(name) && value !== undefined);
  return hiding(Object.fromEntries(open), Object.fromEntries(secrets)) as T;
}

function isSecret(name: string): boolean {
  return (SECRET as readonly string[]).includes(name);
}

/** What inspection and JSON show of it. */
function shown(given: TlsIdentity): object {
  const hidden = SECRET.filter((name) => given[name] !== undefined).map((name) => [name, HIDDEN]);
  return { ...given, ...Object.fromEntries(hidden) };
}

/** The option `tls`, checked, with what was made of it. */
export class TlsSettings {
  /** As it was given, frozen. */
  readonly options: TlsOptions;
  /** The certificate and key of `options`. */
  readonly #context: SecureContext;
  readonly #contexts = new Map<string, SecureContext>();

  /** @throws ZmqError EINVAL if node:tls cannot use a certificate or key */
  constructor(given: TlsOptions, name = "tls") {
    const contexts = Object.entries(given.contexts ?? {});
    const named = Object.fromEntries(contexts.map(([host, identity]) => [host, described(identity)]));
    this.options = described(
      given.contexts === undefined ? given : { ...given, contexts: Object.freeze(named) },
    );
    this.#context = contextOf({ ...this.#versions, ...identityOf(given) }, name);
    for (const [host, identity] of contexts) {
      const { ca = given.ca, crl = given.crl } = identity;
      const whole = { ...this.#versions, ...identityOf(identity), ca, crl };
      this.#contexts.set(host.toLowerCase(), contextOf(whole, `${name}.contexts["${host}"]`));
    }
  }

  get #versions(): { minVersion: TlsVersion; maxVersion?: TlsVersion; ciphers?: string } {
    const { minVersion = "TLSv1.3", maxVersion, ciphers } = this.options;
    return { minVersion, maxVersion, ciphers };
  }

  /** For the connections of a client. */
  get context(): SecureContext {
    return this.#context;
  }

  /** Certificate, key and versions for a server of node:tls, which reads them itself. */
  get material(): object {
    return { ...identityOf(this.options), ...this.#versions };
  }

  /** Whether it has a certificate for a server. */
  get serves(): boolean {
    const { cert, pfx, SNICallback } = this.options;
    return cert !== undefined || pfx !== undefined || SNICallback !== undefined || this.#contexts.size > 0;
  }

  /** Chooses the certificate for the server name that a client asks for; undefined if there is nothing to choose. */
  get sniCallback(): TlsOptions["SNICallback"] {
    const { SNICallback } = this.options;
    if (this.#contexts.size === 0) return SNICallback;
    return (servername, callback) => {
      const host = servername.toLowerCase();
      const context = this.#contexts.get(host) ?? this.#contexts.get(host.replace(/^[^.]+/, "*"));
      if (context !== undefined || SNICallback === undefined) callback(null, context);
      else SNICallback(servername, callback);
    };
  }

  toJSON(): object {
    const { contexts } = this.options;
    if (contexts === undefined) return shown(this.options);
    const named = Object.entries(contexts).map(([host, identity]) => [host, shown(identity)]);
    return { ...shown(this.options), contexts: Object.fromEntries(named) };
  }

  [inspect.custom](): object {
    return this.toJSON();
  }
}

function identityOf({ cert, key, passphrase, pfx, ca, crl }: TlsIdentity): TlsIdentity {
  return { cert, key, passphrase, pfx, ca, crl };
}

/** @throws ZmqError EINVAL */
function contextOf(options: TlsIdentity, name: string): SecureContext {
  const { cert, key, pfx } = options;
  const lacks =
    cert !== undefined && key === undefined ? "key" : key !== undefined && cert === undefined ? "cert" : null;
  if (lacks !== null && pfx === undefined) {
    throw new ZmqError("EINVAL", { detail: `${name}.${lacks} is missing: a certificate needs its key` });
  }
  try {
    return nodeTls().createSecureContext(options as object);
  } catch (cause) {
    const { message, code } = cause as NodeJS.ErrnoException;
    // OpenSSL's texts have a number and the place in its sources around what they say.
    const text = /^error:[^:]*:[^:]*:[^:]*:([^:]+)/.exec(message)?.[1] ?? message;
    throw new ZmqError("EINVAL", {
      cause,
      detail: `${name}: ${text}${code === undefined ? "" : ` (${code})`}`,
    });
  }
}

const VERSIONS: readonly string[] = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];

/** Refuses fields that are not known, and those of a wrong kind. @throws TypeError, RangeError naming the field */
function checkFields(name: string, value: unknown, checks: typeof OPTION_CHECKS): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw new TypeError(`${name} must be an object; got ${value === null ? "null" : typeof value}`);
  }
  const unknown = Object.keys(value).filter((field) => !Object.hasOwn(checks, field));
  if (unknown.length > 0) {
    const known = Object.keys(checks).join(", ");
    throw new TypeError(`${name} has no ${unknown.map((field) => `"${field}"`).join(", ")}; it has ${known}`);
  }
  // Not a spread: what `socket.tls` reads has secrets that are not enumerable, and may be given to another socket.
  const given: Record<string, unknown> = {};
  for (const [field, check] of Object.entries(checks)) {
    const one = (value as Record<string, unknown>)[field];
    if (one === undefined) continue;
    check(`${name}.${field}`, one);
    given[field] = one;
  }
  return given;
}

/**
 * Checks a `tls` object.
 * @throws TypeError, RangeError naming the field; ZmqError EINVAL for a certificate or key that cannot be used
 */
export function parseTls(name: string, value: unknown): TlsSettings | null {
  if (value === null) return null;
  const given = checkFields(name, value, OPTION_CHECKS);
  if (given.contexts !== undefined) {
    const contexts = Object.entries(given.contexts as object);
    given.contexts = Object.fromEntries(
      contexts.map(([host, one]) => [host, checkFields(`${name}.contexts["${host}"]`, one, CONTEXT_CHECKS)]),
    );
  }
  const { minVersion = "TLSv1.3", maxVersion = "TLSv1.3" } = given as TlsOptions;
  if (VERSIONS.indexOf(maxVersion) < VERSIONS.indexOf(minVersion)) {
    throw new RangeError(`${name}.maxVersion is below ${name}.minVersion (${minVersion})`);
  }
  return new TlsSettings(given, name);
}

let plain: TlsSettings | undefined;

/** What a socket without the option connects with: the authorities that come with Node, and no certificate. */
export function defaultTls(): TlsSettings {
  plain ??= new TlsSettings({});
  return plain;
}
