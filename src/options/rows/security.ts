/** Rows about who is let in, and how connections are protected. */

import type { Authenticate } from "../../security/callback.js";
import type { CurveKey } from "../../security/crypto/keys.js";
import {
  credential,
  describeSecurity,
  domainOf,
  keyText,
  OPEN,
  parseSecurity,
  type SecuritySettings,
  setSecurity,
  setSecurityOption,
} from "../../security/settings.js";
import { asBinary, asFlag, asNameType } from "../number-forms.js";
import { option, type RowFields, type Rule } from "../row.js";
import { boolean, refused, time, typeOf } from "../rules.js";

/** Security options: they are checked against each other when they are set. */
function secured<Value>(rule: Rule<Value>, fields: RowFields): Value {
  return option(rule, { ...fields, store: setSecurityOption });
}

const credentials: Rule<string | null> = { type: "string or null; at most 255 bytes", check: credential };
const domain: Rule<string> = { type: "string; at most 255 bytes", check: domainOf };
const key: Rule<CurveKey | null> = { type: "32 bytes, or 40 characters of Z85, or null", check: keyText };
const settings: Rule<SecuritySettings> = { type: "object", check: parseSecurity };
const callback: Rule<Authenticate | null> = {
  type: "function or null",
  check: (name, value) => {
    if (value === null || typeof value === "function") return value;
    throw new TypeError(`${name} must be a function or null; got ${typeOf(value)}`);
  },
};

/**
 * How connections over tcp and ipc are secured, and who is let in; inproc stays in the process and needs none of it.
 * `security` says all in one value and replaces whatever was set; the others are zeromq.js's names for its parts. Settings
 * that contradict each other throw a TypeError that names both; bind and connect throw EINVAL where one is missing. Which
 * side is the server is a setting, and does not follow from bind or connect (B5).
 */
export class SecurityRows {
  /** Mechanism, role and keys in one value. Default `{ mechanism: "null" }`. */
  security? = option(settings, {
    initial: OPEN, // what connections go by is kept under this name; see secure()
    shown: '`{ mechanism: "null" }`',
    store: setSecurity,
    read: describeSecurity,
  });
  /** PLAIN client: user name. Sent unencrypted. Default null. */
  plainUsername? = secured(credentials, { initial: null, numbers: [asBinary(45, "PLAIN_USERNAME")] });
  /** PLAIN client: password. Sent unencrypted. Default null. */
  plainPassword? = secured(credentials, { initial: null, numbers: [asBinary(46, "PLAIN_PASSWORD")] });
  /** Public half of curveSecretKey; may be left out, because it follows from the secret key. Reads as Z85. Default null. */
  curvePublicKey? = secured(key, { initial: null, numbers: [asBinary(48, "CURVE_PUBLICKEY")] });
  /** Our long-term secret key. Reads as Z85; hidden where the socket is inspected or turned into JSON. Default null. */
  curveSecretKey? = secured(key, { initial: null, numbers: [asBinary(49, "CURVE_SECRETKEY")] });
  /** CURVE client: the server's public key. Needs curveSecretKey. Reads as Z85. Default null. */
  curveServerKey? = secured(key, { initial: null, numbers: [asBinary(50, "CURVE_SERVERKEY")] });
}

/** Of the side that decides who is let in. */
export class ServerRows {
  /**
   * Server: decides about each peer, in place of the ZAP handler, which is not asked then. See AuthenticationAnswer. A
   * throw, a rejection, a wrong answer and a late one let nobody in. Default null.
   */
  authenticate? = secured(callback, { initial: null });
  /** Time for an answer of `authenticate`; 0 leaves it to handshakeInterval. Default 10000. */
  authenticateTimeout? = option(time, { initial: 10000 });
  /** PLAIN server: asks about every client (`authenticate`, or the ZAP handler; O9). Default false. */
  plainServer? = secured(boolean, { initial: false, numbers: [asFlag(44, "PLAIN_SERVER")] });
  /** CURVE server. Needs curveSecretKey. Default false. */
  curveServer? = secured(boolean, { initial: false, numbers: [asFlag(47, "CURVE_SERVER")] });
  /** ZAP domain (RFC 27). If it is set, a server with NULL or CURVE lets in only whom the ZAP handler accepts (Q10, Q11). Default "". */
  zapDomain? = secured(domain, { initial: "", numbers: [asBinary(55, "ZAP_DOMAIN")] });
  /** Refuse to bind or connect (EINVAL) without a zapDomain (Q13). Default false. */
  zapEnforceDomain? = option(boolean, { initial: false, numbers: [asFlag(93, "ZAP_ENFORCE_DOMAIN")] });
}

/** GSSAPI's name types. */
type NameType = "hostBased" | "userName" | "krb5Principal";

const NO_GSSAPI = "the GSSAPI mechanism is not supported";
const principal = refused<string | null>(null, NO_GSSAPI);
const nameType = refused<NameType>("hostBased", NO_GSSAPI);

/** GSSAPI is not supported: anything but the defaults throws ENOTSUP. */
export class GssapiRows {
  /** Not supported. Default false. */
  gssapiServer? = option(refused<boolean>(false, NO_GSSAPI), {
    initial: false,
    numbers: [asFlag(62, "GSSAPI_SERVER")],
  });
  /** Not supported. Default null. */
  gssapiPrincipal? = option(principal, { initial: null, numbers: [asBinary(63, "GSSAPI_PRINCIPAL")] });
  /** Not supported. Default null. */
  gssapiServicePrincipal? = option(principal, {
    initial: null,
    numbers: [asBinary(64, "GSSAPI_SERVICE_PRINCIPAL")],
  });
  /** Not supported. Default false. */
  gssapiPlainText? = option(refused<boolean>(false, NO_GSSAPI), {
    initial: false,
    numbers: [asFlag(65, "GSSAPI_PLAINTEXT")],
  });
  /** Not supported. Default "hostBased". */
  gssapiPrincipalNameType? = option(nameType, {
    initial: "hostBased",
    numbers: [asNameType(90, "GSSAPI_PRINCIPAL_NAMETYPE")],
  });
  /** Not supported. Default "hostBased". */
  gssapiServicePrincipalNameType? = option(nameType, {
    initial: "hostBased",
    numbers: [asNameType(91, "GSSAPI_SERVICE_PRINCIPAL_NAMETYPE")],
  });
}
