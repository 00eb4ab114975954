/**
 * The portable engine: streams and acceptors over `node:net` and the TypeScript decoder. Except for bindSync() it uses
 * documented interfaces only, so it runs on every runtime with node:net. It is slower than the addon; the contract is
 * the same.
 */
import { connect, createServer, isIPv6, type Server, type Socket } from "node:net";
import { ZmqError } from "../../base/errors.js";
import {
  descriptorError,
  type EngineStream,
  formatHostPort,
  ipv6Only,
  requireDefaults,
  type StreamEngine,
  type TcpTarget,
} from "../contract/stream-engine.js";
import type { AcceptorHandler, TransportOptions } from "../contract/transport.js";
import { listenNow, NodeAcceptor } from "./acceptor.js";
import { listeningAddress } from "./descriptor.js";
import { NodeStream } from "./stream.js";

/** Refuses the options that node:net cannot honour. @throws ZmqError ENOTSUP */
function requireSupported(options: TransportOptions): void {
  requireDefaults(options, NATIVE_ONLY, "the native engine");
  // descriptor.ts needs Linux's /proc.
  if (process.platform !== "linux") requireDefaults(options, ["useFd"], "the native engine, or Linux");
}

/** Options of tcp that node:net cannot honour. */
export const TCP_NATIVE_ONLY = [
  "sendBufferSize",
  "receiveBufferSize",
  "tcpKeepaliveCount",
  "tcpKeepaliveInterval",
  "typeOfService",
  "interface",
  "priority",
  "busyPoll",
  "tcpMaxRetransmitTimeout",
] as const;

const NATIVE_ONLY = [
  ...TCP_NATIVE_ONLY,
  "ipcFilterUserIds",
  "ipcFilterGroupIds",
  "ipcFilterProcessIds",
] as const;

/** Refuses abstract names: node:net pads them to the full length of the address, so no other program could connect. */
function refuseAbstract(path: string, name: string): void {
  if (!path.startsWith("\0")) return;
  throw new ZmqError("ENOTSUP", {
    address: `ipc://${name}`,
    detail: "abstract names (@name) need the native engine: use a path",
  });
}

function applyTcp(socket: Socket, options: TransportOptions): void {
  socket.setNoDelay(true); // G17
  if (options.tcpKeepalive !== -1 || options.tcpKeepaliveIdle !== -1) {
    const delay = options.tcpKeepaliveIdle === -1 ? 0 : options.tcpKeepaliveIdle * 1000;
    socket.setKeepAlive(options.tcpKeepalive === 1, delay);
  }
}

/** A connection over tcp that node:net, or something above it, has made. */
export function tcpStream(socket: Socket): EngineStream {
  const plain = (host: string | undefined): string => (host ?? "").replace(/^::ffff:(?=\d+\.)/, "");
  const remote = `tcp://${formatHostPort(plain(socket.remoteAddress), socket.remotePort ?? 0)}`;
  return new NodeStream(
    socket,
    remote,
    `tcp://${formatHostPort(plain(socket.localAddress), socket.localPort ?? 0)}`,
  );
}

function connected(socket: Socket, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    const fail = (error: Error): void => {
      signal.removeEventListener("abort", abort);
      reject(error);
    };
    socket.once("error", fail);
    socket.once("connect", () => {
      signal.removeEventListener("abort", abort);
      socket.off("error", fail);
      socket.pause();
      resolve(socket);
    });
    signal.addEventListener("abort", abort, { once: true });
  });
}

function tcpServer(options: TransportOptions, handler: AcceptorHandler): Server {
  return createServer({ pauseOnConnect: true }, (socket) => {
    applyTcp(socket, options);
    handler.onStream(tcpStream(socket));
  });
}

function pipeStream(socket: Socket, name: string): NodeStream {
  return new NodeStream(socket, `ipc://${name}`, `ipc://${name}`);
}

function pipeServer(name: string, handler: AcceptorHandler): Server {
  return createServer({ pauseOnConnect: true }, (socket) => handler.onStream(pipeStream(socket, name)));
}

/** UV_TCP_IPV6ONLY */
const IPV6_ONLY = 1;

/**
 * The portable engine. Every listen() is exclusive: otherwise the handle in a worker of node:cluster would be the
 * primary's, and all workers that bind "port 0" would share one port and its connections.
 */
export const portableEngine: StreamEngine = {
  name: "portable",
  checkOptions: requireSupported,
  checkPath: refuseAbstract,

  async connectTcp(target: TcpTarget, options, signal, refed) {
    const socket = connect({
      host: target.host,
      port: target.port,
      localAddress: target.sourceHost,
      localPort: target.sourcePort,
      autoSelectFamily: false,
    });
    if (!refed) socket.unref();
    await connected(socket, signal);
    applyTcp(socket, options);
    return tcpStream(socket);
  },

  async connectPipe(path, name, _options, signal, refed) {
    const socket = connect({ path });
    if (!refed) socket.unref();
    await connected(socket, signal);
    return pipeStream(socket, name);
  },

  listenTcp(host, port, options, handler) {
    const server = tcpServer(options, handler);
    const where = { host, port, backlog: options.backlog, ipv6Only: ipv6Only(host), exclusive: true };
    return NodeAcceptor.whenListening(server, "", handler, () => server.listen(where));
  },

  listenTcpSync(host, port, options, handler) {
    const server = tcpServer(options, handler);
    const v6 = isIPv6(host);
    const flags = v6 && ipv6Only(host) ? IPV6_ONLY : 0;
    server.listen(listenNow(options.backlog, host, port, v6 ? 6 : 4, undefined, flags));
    return new NodeAcceptor(server, "", handler);
  },

  listenPipe(path, name, options, handler) {
    const server = pipeServer(name, handler);
    const where = { path, backlog: options.backlog, exclusive: true };
    return NodeAcceptor.whenListening(server, path, handler, () => server.listen(where));
  },

  listenPipeSync(path, name, options, handler) {
    const server = pipeServer(name, handler);
    // server.listen() takes no handle of a pipe, but listens at once on a path. The handle is made for its errors.
    listenNow(options.backlog, path, -1, -1).close();
    server.listen({ path, backlog: options.backlog, exclusive: true });
    return new NodeAcceptor(server, path, handler);
  },

  async listenDescriptor(scheme, options, handler) {
    const path = listeningAddress(options.useFd, scheme);
    const server = scheme === "tcp" ? tcpServer(options, handler) : pipeServer(path, handler);
    // node:net calls listen() once more, which sets the backlog.
    const { useFd: fd, backlog } = options;
    try {
      return await NodeAcceptor.whenListening(server, path, handler, () =>
        server.listen({ fd, backlog, exclusive: true }),
      );
    } catch (error) {
      const inUse = (error as NodeJS.ErrnoException).code === "EEXIST";
      throw inUse ? descriptorError(fd, scheme, "another socket uses it already") : error;
    }
  },
};
