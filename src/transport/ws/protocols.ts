/**
 * The sub-protocols of ZWS: each names the mechanism of ZMTP and how connections begin (RFC 45, RFC 39; items X2 to X5, X8).
 */

/** What a sub-protocol stands for. */
export interface ZwsProtocol {
  /** As it is offered and echoed. */
  readonly name: string;
  readonly mechanism: string;
  /**
   * zmtp31 and zmtp30: the commands of the mechanism run, with what that version of ZMTP can do afterwards. plain: there are
   * no commands, and the first message of each side is its identity.
   */
  readonly style: "zmtp31" | "zmtp30" | "plain";
}

/**
 * A browser may only offer names that are tokens of HTTP, and `/` is in none: so zwire has names of its own for the same
 * bytes. Only zwire knows them, so both sides can do what ZMTP 3.1 can.
 */
function protocolsOf(mechanism: string): ZwsProtocol[] {
  return [
    { name: `ZWS2.0-${mechanism}`, mechanism, style: "zmtp31" },
    { name: `ZWS2.0/${mechanism}`, mechanism, style: "zmtp30" },
  ];
}

const NULL = protocolsOf("NULL");
const PLAIN = protocolsOf("PLAIN");
const CURVE = protocolsOf("CURVE");
const NO_MECHANISM: ZwsProtocol = { name: "ZWS2.0", mechanism: "NULL", style: "plain" };
/** Older clients; the type of their socket is in the query. We serve it and do not offer it. */
const FIRST_VERSION: ZwsProtocol = { name: "ZWS1.0", mechanism: "NULL", style: "plain" };

const OFFERED: Readonly<Record<string, readonly ZwsProtocol[]>> = {
  NULL: [...NULL, NO_MECHANISM],
  PLAIN,
  CURVE,
};

/** What a client with this mechanism offers, best first. */
export function offered(mechanism: string): readonly ZwsProtocol[] {
  return OFFERED[mechanism];
}

/**
 * The one to offer to a server that cannot read names with a slash. Such servers, those of the package ws, take the first
 * name of a list without knowing it, so it is the only one.
 */
export function simplest(mechanism: string): ZwsProtocol {
  return mechanism === "NULL" ? NO_MECHANISM : OFFERED[mechanism][0];
}

/** What a server with this mechanism serves. */
export function served(mechanism: string): readonly ZwsProtocol[] {
  return mechanism === "NULL" ? [...OFFERED.NULL, FIRST_VERSION] : OFFERED[mechanism];
}

/** The first one that the client lists and we serve (X3); undefined if there is none. */
export function choose(listed: string, mechanism: string): ZwsProtocol | undefined {
  const ours = served(mechanism);
  for (const name of listed.split(",")) {
    const found = ours.find((one) => one.name === name.trim());
    if (found !== undefined) return found;
  }
  return undefined;
}
