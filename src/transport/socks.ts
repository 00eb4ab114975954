/**
 * The client of a SOCKS5 proxy (RFC 1928, RFC 1929; item R24): it asks the proxy for a connection to the destination,
 * and hands the stream on with the bytes that came behind the proxy's answer. It offers one method: user and password
 * if a user name is set, or else no authentication. Names go to the proxy unresolved.
 */
import { addressBytes } from "../base/accept-filter.js";
import { ZmqError } from "../base/errors.js";
import { exchange, type Outcome } from "./contract/exchange.js";
import { type EngineStream, formatHostPort } from "./contract/stream-engine.js";
import type { StreamHandler, TransportOptions } from "./contract/transport.js";

const VERSION = 5;
const NO_AUTHENTICATION = 0;
const USER_PASSWORD = 2;
/** Version of the user/password negotiation (RFC 1929 §2). */
const AUTHENTICATION_VERSION = 1;
const CONNECT = 1;
const ATYP_IPV4 = 1;
const ATYP_NAME = 3;
const ATYP_IPV6 = 4;

/** The replies of RFC 1928 §6, each with the nearest errno name. */
const REPLIES: Record<number, readonly [code: string, text: string]> = {
  1: ["ECONNREFUSED", "general SOCKS server failure"],
  2: ["EACCES", "connection not allowed by ruleset"],
  3: ["ENETUNREACH", "Network unreachable"],
  4: ["EHOSTUNREACH", "Host unreachable"],
  5: ["ECONNREFUSED", "Connection refused"],
  6: ["ETIMEDOUT", "TTL expired"],
  7: ["ENOTSUP", "Command not supported"],
  8: ["EAFNOSUPPORT", "Address type not supported"],
};

/** The options that concern the proxy. */
type SocksOptions = Pick<
  TransportOptions,
  "socksProxy" | "socksUsername" | "socksPassword" | "handshakeInterval"
>;

interface Destination {
  readonly host: string;
  readonly port: number;
}

/** Why a destination can never be reached through a SOCKS proxy; undefined if it may be. */
export function checkSocksTarget(host: string, options: SocksOptions): string | undefined {
  if (Buffer.byteLength(host) > 255) return "a host name may have at most 255 bytes with socksProxy";
  if (host.includes("%"))
    return "an address with a zone (%name) is valid on this host only, so it cannot be used with socksProxy";
  if (options.socksPassword !== null && options.socksUsername === null) {
    return "socksPassword needs socksUsername";
  }
  return undefined;
}

/**
 * Asks the proxy at the other end of a new stream for the connection. Resolves with the same stream, not started.
 * Closes it and rejects if the proxy refuses, breaks the protocol, closes, or takes longer than `handshakeInterval`.
 * @param endpoint what the program connects to, for error texts
 * @param signal aborts the attempt; its reason becomes the rejection
 */
export function socksConnect(
  stream: EngineStream,
  destination: Destination,
  endpoint: string,
  options: SocksOptions,
  signal: AbortSignal,
): Promise<EngineStream> {
  const failure = (code: string, text: string): ZmqError =>
    new ZmqError(code, { address: endpoint, detail: `SOCKS proxy ${options.socksProxy}: ${text}` });
  const limit = options.handshakeInterval;
  const late = (): ZmqError => failure("ETIMEDOUT", `no answer within ${limit} ms (handshakeInterval)`);
  return exchange(stream, limit, signal, late, ({ done, fail }) => {
    const arrived = (leftover: Buffer): void => {
      stream.handOver(`tcp://${formatHostPort(destination.host, destination.port)}`, leftover);
      done(stream);
    };
    new SocksClient(stream, destination, options, { done: arrived, fail, failure }).start();
  });
}

/** With the bytes behind the proxy's answer. */
interface SocksOutcome extends Outcome<Buffer> {
  failure(code: string, text: string): ZmqError;
}

/** The next answer of the proxy: method → authentication → reply → over, or method → reply → over. */
type Step = "method" | "authentication" | "reply" | "over";

class SocksClient implements StreamHandler {
  readonly #stream: EngineStream;
  readonly #destination: Destination;
  readonly #options: SocksOptions;
  readonly #outcome: SocksOutcome;
  #step: Step = "method";
  /** Bytes not yet used. At most one chunk, and less than the longest answer (262 bytes) before it. */
  #received: Buffer = Buffer.alloc(0);

  constructor(stream: EngineStream, destination: Destination, options: SocksOptions, outcome: SocksOutcome) {
    this.#stream = stream;
    this.#destination = destination;
    this.#options = options;
    this.#outcome = outcome;
  }

  start(): void {
    this.#stream.start(this);
    this.#stream.write([Buffer.from([VERSION, 1, this.#method])]);
  }

  get #method(): number {
    return this.#options.socksUsername === null ? NO_AUTHENTICATION : USER_PASSWORD;
  }

  onBytes(chunk: Buffer): void {
    if (this.#step === "over") return;
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    try {
      while (this.#advance());
    } catch (error) {
      this.#step = "over";
      this.#outcome.fail(error);
    }
  }

  onFrames(): void {}
  onLargeFrame(): void {}
  onDrain(): void {}

  onClose(error: NodeJS.ErrnoException | undefined): void {
    if (this.#step === "over") return;
    this.#step = "over";
    this.#outcome.fail(error ?? this.#outcome.failure("ECONNRESET", "it closed the connection"));
  }

  /** Handles one complete answer. False if there is none yet. */
  #advance(): boolean {
    switch (this.#step) {
      case "method":
        return this.#readMethod();
      case "authentication":
        return this.#readAuthentication();
      case "reply":
        return this.#readReply();
      default:
        return false;
    }
  }

  /** RFC 1928 §3: VER, METHOD. */
  #readMethod(): boolean {
    if (!this.#expect(0, VERSION, "version") || this.#received.length < 2) return false;
    const method = this.#received[1];
    if (method === 0xff) {
      const offered = this.#method === NO_AUTHENTICATION ? "no authentication" : "user and password";
      throw this.#outcome.failure("EACCES", `it does not accept the method offered, ${offered}`);
    }
    if (method !== this.#method) throw this.#broken(`it chose method ${method}, which was not offered`);
    this.#take(2);
    if (method === USER_PASSWORD) this.#authenticate();
    else this.#request();
    return true;
  }

  #authenticate(): void {
    const user = Buffer.from(this.#options.socksUsername as string);
    // RFC 1929 asks for at least one byte of password. If none is set, libzmq sends an empty one, and proxies accept
    // it.
    const password = Buffer.from(this.#options.socksPassword ?? "");
    this.#step = "authentication";
    this.#stream.write([
      Buffer.concat([
        Buffer.from([AUTHENTICATION_VERSION, user.length]),
        user,
        Buffer.from([password.length]),
        password,
      ]),
    ]);
  }

  /** RFC 1929 §2: VER, STATUS. */
  #readAuthentication(): boolean {
    if (!this.#expect(0, AUTHENTICATION_VERSION, "version of the authentication")) return false;
    if (this.#received.length < 2) return false;
    if (this.#received[1] !== 0) throw this.#outcome.failure("EACCES", "it refused user name and password");
    this.#take(2);
    this.#request();
    return true;
  }

  /** RFC 1928 §4: VER, CMD, RSV, ATYP, DST.ADDR, DST.PORT. */
  #request(): void {
    const { host, port } = this.#destination;
    const bytes = addressBytes(host);
    const name = Buffer.from(host);
    const address =
      bytes === undefined
        ? [Buffer.from([ATYP_NAME, name.length]), name]
        : [Buffer.from([bytes.length === 4 ? ATYP_IPV4 : ATYP_IPV6]), bytes];
    this.#step = "reply";
    this.#stream.write([
      Buffer.concat([Buffer.from([VERSION, CONNECT, 0]), ...address, Buffer.from([port >> 8, port & 0xff])]),
    ]);
  }

  /** RFC 1928 §6: VER, REP, RSV, ATYP, BND.ADDR, BND.PORT. The address that the proxy is bound to is ignored. */
  #readReply(): boolean {
    if (!this.#expect(0, VERSION, "version") || this.#received.length < 2) return false;
    const reply = this.#received[1];
    if (reply !== 0) {
      const [code, text] = REPLIES[reply] ?? ["ECONNREFUSED", "unassigned"];
      throw this.#outcome.failure(code, `${text} (reply ${reply})`);
    }
    if (!this.#expect(2, 0, "reserved byte") || this.#received.length < 5) return false;
    const length = this.#replyLength();
    if (this.#received.length < length) return false;
    this.#step = "over";
    this.#outcome.done(this.#received.subarray(length));
    return false;
  }

  #replyLength(): number {
    const type = this.#received[3];
    if (type === ATYP_IPV4) return 4 + 4 + 2;
    if (type === ATYP_IPV6) return 4 + 16 + 2;
    if (type === ATYP_NAME) return 4 + 1 + this.#received[4] + 2;
    throw this.#broken(`its reply has address type ${type}`);
  }

  /** Whether the byte at this place has arrived. Throws if it is not the expected one. */
  #expect(at: number, byte: number, what: string): boolean {
    if (this.#received.length <= at) return false;
    const got = this.#received[at];
    if (got !== byte) throw this.#broken(`its ${what} is ${got}, not ${byte}`);
    return true;
  }

  #take(count: number): void {
    this.#received = this.#received.subarray(count);
  }

  #broken(text: string): ZmqError {
    return this.#outcome.failure("EPROTO", text);
  }
}
