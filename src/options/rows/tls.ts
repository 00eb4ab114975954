/** The row about TLS. */
import { parseTls, type TlsOptions } from "../../security/tls/settings.js";
import { option, type Rule } from "../row.js";

const certificates: Rule<TlsOptions | null> = { type: "object or null", check: parseTls };

/** Of every socket type. */
export class TlsRows {
  /**
   * Certificates, keys and what to ask of the other side over tls+tcp, under the names of node:tls; see TlsOptions and
   * docs/tls.md. To bind, `cert` and `key` are needed. A new value acts on the next connections, also of endpoints that are
   * bound or connected. bind and connect throw ENOTSUP over tls+tcp for options that node:net cannot honour. Default null, which
   * trusts the authorities that come with Node.
   */
  tls? = option(certificates, { initial: null, live: true, read: ({ tls }) => tls?.options ?? null });
}
