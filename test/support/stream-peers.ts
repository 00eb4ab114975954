/**
 * What the tests of STREAM share: plain peers, and the octets that a STREAM gets.
 */
import { createServer, type Socket as NetSocket } from "node:net";
import { expect, onTestFinished } from "vitest";
import { Stream } from "../../src/index.js";
import { managed, rawDial } from "./helpers.js";
import type { RawPeer } from "./raw-peer.js";

/** The next message: the connection's name and the bytes. */
export async function next(stream: Stream): Promise<[id: Buffer, data: Buffer]> {
  const parts = await stream.receive({ timeout: 20_000 });
  expect(parts).toHaveLength(2);
  return parts as [Buffer, Buffer];
}

/** Bytes of one connection, until there are n. */
export async function collect(stream: Stream, n: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let length = 0; length < n; ) {
    const [, data] = await next(stream);
    chunks.push(data);
    length += data.length;
  }
  return Buffer.concat(chunks);
}

/** A bound STREAM and a plain peer; `id` is the peer's name. */
export async function accepted(
  options = {},
): Promise<{ stream: Stream; endpoint: string; peer: RawPeer; id: Buffer }> {
  const stream = managed(new Stream(options));
  const endpoint = await stream.bind("tcp://127.0.0.1:*");
  const peer = await rawDial(endpoint);
  const [id, data] = await next(stream);
  expect(data).toHaveLength(0);
  return { stream, endpoint, peer, id };
}

/** A plain tcp server that counts what it gets. */
export async function plainServer(endpoint: string, onSocket: (socket: NetSocket) => void = () => {}) {
  const sockets: NetSocket[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    sockets.push(socket);
    onSocket(socket);
  });
  const [, host, port] = /^tcp:\/\/(.*):(\d+)$/.exec(endpoint) as unknown as [string, string, string];
  await new Promise<void>((resolve) => server.listen(Number(port), host, resolve));
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  onTestFinished(close);
  return { sockets, close };
}
