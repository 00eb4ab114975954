/**
 * What TLS tells about the other side of a connection, and the error with which a TLS handshake fails. Knows no TLS itself.
 */

/** Names in a certificate by their short forms, such as `CN`, `O` and `OU`; a list where one occurs several times. */
export type TlsNames = Readonly<Record<string, string | readonly string[]>>;

/** A certificate of the other side. */
export interface TlsCertificate {
  /** Whom it is for. */
  readonly subject: TlsNames;
  /** Who signed it. */
  readonly issuer: TlsNames;
  /** The hosts and addresses that it is for, as node:tls writes them: `DNS:example.com, IP Address:192.0.2.1`; undefined if none. */
  readonly subjectAltName: string | undefined;
  /** SHA-256 over the certificate, in hexadecimal pairs with colons. */
  readonly fingerprint256: string;
  readonly serialNumber: string;
  /** From when on it is valid, as `2026-01-31T12:00:00Z`. */
  readonly validFrom: string;
  /** Until when it is valid, in the same form. */
  readonly validTo: string;
}

/** The TLS connection under a peer, as it was when its handshake was complete. */
export interface TlsPeer {
  /**
   * Whether the other side has proved who it is: its certificate is signed by one of `ca` and valid, and towards a server it
   * is for the host that was asked for. False for a client that was asked for no certificate (`requestCert`).
   */
  readonly authorized: boolean;
  /** Why `authorized` is false, such as `CERT_HAS_EXPIRED`; undefined where no certificate was asked for. */
  readonly authorizationError: string | undefined;
  /** The certificate of the other side, verified or not; undefined if it sent none. */
  readonly certificate: TlsCertificate | undefined;
  /** The server name that the client asked for (SNI); undefined if it named none. */
  readonly servername: string | undefined;
  /** The protocol that both sides agreed on (`ALPNProtocols`); undefined if none. */
  readonly alpnProtocol: string | undefined;
  /** The version in use, such as `TLSv1.3`. */
  readonly protocol: string;
  /** The cipher in use, under its standard name, such as `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
}

/** Details of a TlsError. */
export interface TlsErrorDetails {
  readonly cause?: unknown;
  /** The certificate that it is about: the other side's, if we refuse it, and else ours. */
  readonly certificate?: TlsCertificate;
}

/** A TLS handshake failed. */
export class TlsError extends Error {
  override readonly name = "TlsError";
  /**
   * What node:tls says: `CERT_HAS_EXPIRED`, `DEPTH_ZERO_SELF_SIGNED_CERT`, `ERR_TLS_CERT_ALTNAME_INVALID`,
   * `ERR_SSL_WRONG_VERSION_NUMBER` (what came is not TLS), `ECONNRESET` (the other side left in the handshake) and others.
   * `PEER_CLOSED_AFTER_TLS`: the other side completed the handshake and left without a byte, as one does that refuses a
   * certificate.
   */
  readonly code: string;
  /** The certificate that it is about: the other side's, if we refuse it, and else ours. */
  declare readonly certificate?: TlsCertificate;

  constructor(code: string, text: string, { cause, certificate }: TlsErrorDetails = {}) {
    super(text, { cause });
    if (cause === undefined) delete this.cause;
    this.code = code;
    if (certificate !== undefined) this.certificate = certificate;
  }
}

/** Names as text: `CN=example.com, O=Example`. */
function namesText(names: TlsNames): string {
  const entries = Object.entries(names).flatMap(([name, value]) =>
    [value].flat().map((one) => `${name}=${one}`),
  );
  return entries.length === 0 ? "no name" : entries.join(", ");
}

/** A certificate in an error text. */
export function certificateText({ subject, issuer, validFrom, validTo }: TlsCertificate): string {
  return `"${namesText(subject)}", issued by "${namesText(issuer)}", valid from ${validFrom} to ${validTo}`;
}
