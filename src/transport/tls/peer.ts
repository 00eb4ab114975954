/** What node:tls knows about the other side of a connection, in zwire's own words. */
import type { PeerCertificate, TLSSocket } from "node:tls";
import {
  certificateText,
  type TlsCertificate,
  TlsError,
  type TlsNames,
  type TlsPeer,
} from "../../base/tls.js";

/** Why a certificate is refused, by node:tls's code. */
const REASONS: Record<string, string> = {
  CERT_HAS_EXPIRED: "it has expired",
  CERT_NOT_YET_VALID: "it is not valid yet",
  CERT_REVOKED: "it was revoked",
  DEPTH_ZERO_SELF_SIGNED_CERT: "it is self-signed, and tls.ca does not have it",
  SELF_SIGNED_CERT_IN_CHAIN: "tls.ca does not have the root that it leads to",
  UNABLE_TO_GET_ISSUER_CERT: "tls.ca does not have its issuer",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "tls.ca does not have its issuer",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "tls.ca does not have its issuer",
  INVALID_PURPOSE: "it was not made for this purpose",
};

/** A certificate of node:tls; undefined if there is none. */
export function certificateOf(found: PeerCertificate | object | null): TlsCertificate | undefined {
  if (found === null || !("fingerprint256" in found)) return undefined;
  const { subject, issuer, subjectaltname, fingerprint256, serialNumber, valid_from, valid_to } = found;
  return Object.freeze({
    subject: namesOf(subject),
    issuer: namesOf(issuer),
    subjectAltName: subjectaltname,
    fingerprint256,
    serialNumber,
    validFrom: time(valid_from),
    validTo: time(valid_to),
  });
}

function namesOf(names: object | undefined): TlsNames {
  return Object.freeze({ ...names });
}

/** node:tls writes `Jan 31 12:00:00 2026 GMT`. */
function time(text: string): string {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? text : new Date(ms).toISOString().replace(".000Z", "Z");
}

/** The state of a connection whose handshake is complete. @param asked whether we wanted a certificate of the other side */
export function peerOf(socket: TLSSocket, asked: boolean, error: string | undefined): TlsPeer {
  const { servername, alpnProtocol } = socket as {
    servername?: string | false;
    alpnProtocol: string | false | null;
  };
  const certificate = certificateOf(socket.getPeerCertificate());
  return Object.freeze({
    authorized: asked && error === undefined,
    authorizationError: asked ? error : undefined,
    certificate,
    servername: servername || undefined,
    alpnProtocol: alpnProtocol || undefined,
    protocol: socket.getProtocol() ?? "",
    cipher: socket.getCipher().standardName,
  });
}

/** What a server says about a client without a certificate; node:tls calls it UNABLE_TO_GET_ISSUER_CERT. */
export const NO_CERTIFICATE = "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE";

/** The error of the side that does not accept the other one. */
export function refusalOf(peer: TlsPeer, whose: "server" | "client", cause: Error | undefined): TlsError {
  const { certificate, authorizationError: code = "" } = peer;
  if (certificate === undefined) {
    return new TlsError(NO_CERTIFICATE, `the ${whose} sent no certificate, and tls.requestCert asks for one`);
  }
  const reason = cause?.message ?? REASONS[code] ?? code;
  const text = `the ${whose}'s certificate is refused: ${reason}: ${certificateText(certificate)}`;
  return new TlsError(code, text, { cause, certificate });
}

/** The error of the side that was left without a word. */
export function leftOf(
  us: "server" | "client",
  ours: TlsCertificate | undefined,
  cause: Error | undefined,
): TlsError {
  const other = us === "server" ? "client" : "server";
  const shown = ours === undefined ? "it was sent none" : certificateText(ours);
  const text = `the ${other} left when the TLS handshake was complete, without a byte: it may have refused our certificate (${shown})`;
  return new TlsError("PEER_CLOSED_AFTER_TLS", text, { cause, certificate: ours });
}

/** An error of node:tls, or of the connection, before the handshake was complete. */
export function handshakeError(error: NodeJS.ErrnoException | undefined): TlsError {
  if (error === undefined || error.code === "ECONNRESET" || error.code === "EPIPE") {
    return new TlsError("ECONNRESET", "the other side closed the connection in the TLS handshake", {
      cause: error,
    });
  }
  const { reason } = error as { reason?: string };
  const hint = HINTS[error.code ?? ""];
  const text = `no TLS handshake: ${reason ?? error.message}${hint === undefined ? "" : ` (${hint})`}`;
  return new TlsError(error.code ?? "EPROTO", text, { cause: error });
}

/** What usually causes an error of OpenSSL. */
const HINTS: Record<string, string> = {
  ERR_SSL_WRONG_VERSION_NUMBER: "what the other side sends is not TLS",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "no common version: see tls.minVersion",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "no common version: see tls.minVersion",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "the server wants our certificate: see tls.cert",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "the other side does not have the issuer of our certificate",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: "our certificate has expired",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: "the other side refuses our certificate",
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: "no common protocol: see tls.ALPNProtocols",
  ERR_SSL_NO_APPLICATION_PROTOCOL: "no common protocol: see tls.ALPNProtocols",
  ERR_SSL_NO_SHARED_CIPHER: "no common cipher: see tls.ciphers",
};
