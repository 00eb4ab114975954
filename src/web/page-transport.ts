/**
 * ws and wss as a page has them: the browser makes the connection and its TLS, and says little about why it failed.
 */
import { ZmqError } from "../base/errors.js";
import type { Acceptor, Stream, Transport, TransportOptions } from "../transport/contract/transport.js";
import { offered, type ZwsProtocol } from "../transport/ws/protocols.js";
import { PageStream } from "./page-stream.js";
import { newWebSocket } from "./web-socket.js";

/** Names with a slash are none that a browser may offer (RFC 6455 §4.1, RFC 7230 §3.2.6). */
function tokens(mechanism: string): readonly ZwsProtocol[] {
  return offered(mechanism).filter(({ name }) => !name.includes("/"));
}

export class PageTransport implements Transport {
  readonly framed = true;
  readonly #scheme: string;

  constructor(scheme: "ws" | "wss") {
    this.#scheme = scheme;
  }

  checkBind(address: string): void {
    throw new ZmqError("ENOTSUP", {
      address: `${this.#scheme}://${address}`,
      detail: "a page cannot listen: connect to an endpoint that a server has bound",
    });
  }

  checkConnect(address: string): void {
    const url = `${this.#scheme}://${address}`;
    if (/[#\s]/.test(address) || !URL.canParse(url))
      throw new ZmqError("EINVAL", { address: url, detail: "not a URL of a WebSocket: host:port/path" });
  }

  named(address: string): string {
    return address.includes("/") ? address : `${address}/`;
  }

  listen(): Promise<Acceptor> {
    return Promise.reject(new ZmqError("ENOTSUP"));
  }

  listenSync(): Acceptor {
    throw new ZmqError("ENOTSUP");
  }

  connect(address: string, options: TransportOptions, signal: AbortSignal): Promise<Stream> {
    const url = `${this.#scheme}://${address}`;
    const protocols = tokens(options.security.mechanism);
    return new Promise((resolve, reject) => {
      const socket = newWebSocket(
        url,
        protocols.map(({ name }) => name),
      );
      const settle = (): void => {
        signal.removeEventListener("abort", abort);
        socket.onopen = null;
        socket.onclose = null;
        socket.onmessage = null;
      };
      const fail = (error: unknown): void => {
        settle();
        socket.close();
        reject(error);
      };
      const abort = (): void => fail(signal.reason);
      if (signal.aborted) {
        abort();
        return;
      }
      signal.addEventListener("abort", abort, { once: true });
      socket.onclose = ({ code }) => fail(unreachable(url, code));
      socket.onopen = () => {
        const protocol = protocols.find(({ name }) => name === socket.protocol);
        if (protocol === undefined) {
          const detail = `the server has chosen the sub-protocol "${socket.protocol}"`;
          fail(new ZmqError("EPROTO", { address: url, detail }));
          return;
        }
        settle();
        resolve(new PageStream(socket, url, protocol, options));
      };
    });
  }
}

/** A browser hides why a connection failed, so that a page cannot look around in its user's network. */
function unreachable(url: string, code: number): ZmqError {
  return new ZmqError("ECONNREFUSED", {
    address: url,
    detail:
      `no connection (WebSocket close code ${code}): nothing listens there, it lets pages of this origin not in, its ` +
      "mechanism is another one, or its certificate is not trusted; the browser tells no more than its console does",
  });
}
