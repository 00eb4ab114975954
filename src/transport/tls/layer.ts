/**
 * The scheme `tls+tcp`: TLS by node:tls over tcp by node:net, whatever engine carries tcp. Each connection takes the option
 * `tls` as it is then: a certificate can be renewed while the socket is bound.
 */
import { isIP, Socket } from "node:net";
import type { Server } from "node:tls";
import { assert } from "../../base/assert.js";
import { ZmqError } from "../../base/errors.js";
import { nodeTls } from "../../base/platform.js";
import { TlsError } from "../../base/tls.js";
import { defaultTls, type TlsOptions, type TlsSettings } from "../../security/tls/settings.js";
import type { Layer } from "../contract/layer.js";
import { type EngineStream, requireDefaults } from "../contract/stream-engine.js";
import type { Stream, TransportOptions } from "../contract/transport.js";
import { TCP_NATIVE_ONLY } from "../node/engine.js";
import { NodeStream } from "../node/stream.js";
import { handshakeError, peerOf, refusalOf } from "./peer.js";
import { type Shaking, TlsStream } from "./stream.js";

/** node:tls has a limit of its own for handshakes, and no way to turn it off. The session has handshakeInterval. */
const NO_LIMIT_MS = 2 ** 31 - 1;

/** The socket under a stream of the portable engine. */
function socketOf(stream: EngineStream): Socket {
  assert(stream instanceof NodeStream, "TLS is not over node:net");
  return stream.detach();
}

/** Our side and the other's of a connection: one connection of a server has one at a time. */
function placeOf({ localAddress, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${remoteAddress} ${remotePort}`;
}

/** The servers of node:tls of one listening endpoint: one for each value that the option `tls` has had. */
class TlsAcceptor {
  readonly #options: TransportOptions;
  #settings: TlsSettings | null = null;
  #server: Server | null = null;
  /** The connections in the handshake. node:tls tells of them by a socket of its own. */
  readonly #shaking = new Map<string, Shaking>();

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /** The server for the next connection. */
  #current(): Server {
    const { tls } = this.#options;
    if (this.#server === null || (tls !== null && tls !== this.#settings)) {
      assert(tls !== null, "a tls+tcp endpoint is bound without a certificate");
      this.#settings = tls;
      this.#server = this.#make(tls);
    }
    return this.#server;
  }

  #make(settings: TlsSettings): Server {
    const { requestCert = false, rejectUnauthorized = true, ALPNProtocols } = settings.options;
    const server = nodeTls().createServer({
      ...settings.material,
      ALPNProtocols: ALPNProtocols === undefined ? undefined : [...ALPNProtocols],
      SNICallback: this.#sniCallback(settings),
      requestCert,
      // We check ourselves: node:tls would close the connection without saying whose certificate it was.
      rejectUnauthorized: false,
      handshakeTimeout: NO_LIMIT_MS,
      noDelay: true,
    });
    server.on("secureConnection", (socket) => {
      const shaking = this.#take(socket);
      if (shaking === undefined) {
        socket.destroy();
        return;
      }
      const { authorizationError } = socket as { authorizationError?: Error | string | null };
      const code = authorizationError ? String(authorizationError) : undefined;
      const peer = peerOf(socket, requestCert, code);
      if (requestCert && rejectUnauthorized && !peer.authorized) {
        shaking.refused(socket, refusalOf(peer, "client", undefined));
      } else shaking.secured(socket, peer);
    });
    // A client that leaves has no address any more, and its own stream notices.
    server.on("tlsClientError", (error, socket) => this.#take(socket)?.failed(handshakeError(error)));
    return server;
  }

  /** node:tls ends the connection with an error of SNICallback, and does not tell it. */
  #sniCallback({ sniCallback }: TlsSettings): TlsOptions["SNICallback"] {
    if (sniCallback === undefined) return undefined;
    const failed = (socket: unknown, cause: Error): void => {
      const text = `no TLS handshake: tls.SNICallback failed: ${cause.message}`;
      const shaking = socket instanceof Socket ? this.#take(socket) : undefined;
      // Later: OpenSSL is in the middle of this connection, and crashes if it is closed here.
      setImmediate(() => shaking?.failed(new TlsError("ERR_TLS_SNI_CALLBACK", text, { cause })));
    };
    return function choose(this: unknown, servername, callback) {
      sniCallback(servername, (error, context) => {
        if (error) failed(this, error);
        callback(error, context);
      });
    };
  }

  #take(socket: Socket): Shaking | undefined {
    const place = placeOf(socket);
    const shaking = this.#shaking.get(place);
    this.#shaking.delete(place);
    return shaking;
  }

  accepted(stream: EngineStream): Stream {
    return new TlsStream(socketOf(stream), stream, "server", (socket, shaking) => {
      const place = placeOf(socket);
      this.#shaking.set(place, shaking);
      socket.once("close", () => {
        if (this.#shaking.get(place) === shaking) this.#shaking.delete(place);
      });
      this.#current().emit("connection", socket);
    });
  }
}

/** Begins the handshake of a client. */
function connectTls(raw: Socket, host: string, settings: TlsSettings, shaking: Shaking): void {
  const { connect, checkServerIdentity } = nodeTls();
  const { options, context } = settings;
  const { rejectUnauthorized = true, ALPNProtocols, servername = isIP(host) === 0 ? host : "" } = options;
  const check = options.checkServerIdentity ?? checkServerIdentity;
  let mismatch: Error | undefined;
  const socket = connect({
    socket: raw,
    host: servername === "" ? host : servername,
    servername,
    secureContext: context,
    ALPNProtocols: ALPNProtocols === undefined ? undefined : [...ALPNProtocols],
    // We check ourselves: node:tls would close the connection without saying whose certificate it was.
    rejectUnauthorized: false,
    checkServerIdentity: (name, certificate) => {
      mismatch = check(name, certificate);
      return mismatch;
    },
  });
  const fail = (error: Error): void => shaking.failed(handshakeError(error));
  socket.once("error", fail);
  socket.once("secureConnect", () => {
    socket.off("error", fail);
    const code = socket.authorized ? undefined : codeOf(socket.authorizationError, mismatch);
    const peer = peerOf(socket, true, code);
    if (rejectUnauthorized && !peer.authorized) {
      shaking.refused(socket, refusalOf(peer, "server", mismatch));
    } else shaking.secured(socket, peer);
  });
}

function codeOf(error: Error | string | null, mismatch: Error | undefined): string {
  if (mismatch === undefined) return String(error);
  return (mismatch as NodeJS.ErrnoException).code ?? "ERR_TLS_CERT_ALTNAME_INVALID";
}

/** TLS between tcp and the session. */
export class TlsLayer implements Layer {
  readonly scheme = "tls+tcp";

  check(options: TransportOptions, role: "server" | "client"): void {
    requireDefaults(
      options,
      TCP_NATIVE_ONLY,
      "tcp:// or ipc:// and the native engine: tls+tcp:// is carried by node:tls",
    );
    if (role === "server" && options.tls?.serves !== true) {
      throw new ZmqError("EINVAL", { detail: "to bind, tls+tcp:// needs tls.cert and tls.key (or tls.pfx)" });
    }
  }

  accepting(options: TransportOptions): (stream: EngineStream) => Stream {
    const acceptor = new TlsAcceptor(options);
    return (stream) => acceptor.accepted(stream);
  }

  connected(stream: EngineStream, host: string, options: TransportOptions): Stream {
    const settings = options.tls ?? defaultTls();
    return new TlsStream(socketOf(stream), stream, "client", (socket, shaking) =>
      connectTls(socket, host, settings, shaking),
    );
  }
}
