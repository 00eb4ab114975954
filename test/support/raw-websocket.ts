/**
 * A hand-driven WebSocket client on node:net: the test writes frame for frame, right or wrong, and offers any sub-protocol,
 * which the package ws does not. Knows nothing of zwire.
 */
import { createHash } from "node:crypto";
import { connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { gate, within } from "./helpers.js";

/** One frame as it came. */
export interface WebSocketFrame {
  readonly fin: boolean;
  readonly opcode: number;
  readonly masked: boolean;
  readonly payload: Buffer;
}

export interface FrameOptions {
  readonly fin?: boolean;
  readonly masked?: boolean;
  readonly reserved?: number;
  /** Announces another length. */
  readonly length?: number;
}

const MASK = Buffer.from([0x11, 0x22, 0x33, 0x44]);
export const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
export const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/** A frame of a client. */
export function frame(opcode: number, payload: Buffer | string = "", options: FrameOptions = {}): Buffer {
  const body = Buffer.from(payload);
  const { fin = true, masked = true, reserved = 0, length = body.length } = options;
  const head = [(fin ? 0x80 : 0) | reserved | opcode];
  const marked = masked ? 0x80 : 0;
  if (length < 126) head.push(marked | length);
  else if (length < 65536) head.push(marked | 126, length >> 8, length & 255);
  else
    head.push(
      marked | 127,
      ...[56, 48, 40, 32, 24, 16, 8, 0].map((bits) => Math.floor(length / 2 ** bits) & 255),
    );
  if (!masked) return Buffer.concat([Buffer.from(head), body]);
  return Buffer.concat([Buffer.from(head), MASK, body.map((byte, i) => byte ^ MASK[i & 3])]);
}

/** What a request says; a header that is null is left out. */
export interface Asking {
  readonly path?: string;
  readonly protocol?: string | null;
  readonly headers?: Readonly<Record<string, string | null>>;
}

/** A request for a WebSocket. */
export function request(
  host: string,
  { path = "/", protocol = "ZWS2.0/NULL", headers = {} }: Asking = {},
): string {
  const all: Record<string, string | null> = {
    Host: host,
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": protocol,
    ...headers,
  };
  const lines = Object.entries(all).filter(([, value]) => value !== null);
  return `GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}

/** One raw connection to a ws endpoint. */
export class RawWebSocket {
  readonly socket: Socket;
  /** Set when the other side has closed the connection. */
  ended = false;
  #bytes = Buffer.alloc(0);
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.ended = true;
      this.#wake();
    });
  }

  /** Connects, and says nothing. */
  static async connect(endpoint: string): Promise<RawWebSocket> {
    const { hostname, port } = new URL(endpoint.replace("ws:", "http:"));
    const socket = connect(Number(port), hostname);
    const raw = new RawWebSocket(socket);
    onTestFinished(() => void socket.destroy());
    await within(new Promise<void>((resolve) => socket.once("connect", resolve)), "a connection");
    return raw;
  }

  /** Asks for a WebSocket. @returns the response's head */
  static async ask(endpoint: string, asking: Asking = {}): Promise<{ raw: RawWebSocket; head: string }> {
    const url = new URL(endpoint.replace("ws:", "http:"));
    const raw = await RawWebSocket.connect(endpoint);
    raw.socket.write(request(url.host, { path: url.pathname, ...asking }));
    return { raw, head: await raw.head() };
  }

  async #until<T>(take: () => T | undefined, what: string): Promise<T> {
    const taken = async () => {
      for (;;) {
        const found = take();
        if (found !== undefined) return found;
        if (this.ended) throw new Error(`the connection ended; expected ${what}`);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    };
    return within(taken(), what);
  }

  /** The head of an HTTP message. */
  head(): Promise<string> {
    return this.#until(() => {
      const end = this.#bytes.indexOf("\r\n\r\n");
      if (end < 0) return undefined;
      const head = this.#bytes.toString("latin1", 0, end);
      this.#bytes = this.#bytes.subarray(end + 4);
      return head;
    }, "the head of a response");
  }

  /** The next frame. */
  next(): Promise<WebSocketFrame> {
    return this.#until(() => {
      const bytes = this.#bytes;
      if (bytes.length < 2) return undefined;
      let length = bytes[1] & 127;
      let at = 2;
      if (length === 126) {
        if (bytes.length < 4) return undefined;
        length = bytes.readUInt16BE(2);
        at = 4;
      } else if (length === 127) {
        if (bytes.length < 10) return undefined;
        length = Number(bytes.readBigUInt64BE(2));
        at = 10;
      }
      const masked = bytes[1] > 127;
      const bodyAt = masked ? at + 4 : at;
      if (bytes.length < bodyAt + length) return undefined;
      this.#bytes = bytes.subarray(bodyAt + length);
      const payload = Buffer.from(bytes.subarray(bodyAt, bodyAt + length));
      if (masked) for (let i = 0; i < length; i++) payload[i] ^= bytes[at + (i & 3)];
      return { fin: bytes[0] > 127, opcode: bytes[0] & 15, masked, payload };
    }, "a frame");
  }

  send(...frames: Buffer[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** Sends a binary message. */
  say(payload: Buffer | string): void {
    this.send(frame(2, payload));
  }

  /** Resolves when the other side has closed the connection. */
  closed(): Promise<boolean> {
    return this.#until(() => (this.ended ? true : undefined), "the end of the connection");
  }
}

/** A READY command as a message of ZWS. */
export function ready(socketType: string, identity?: string): Buffer {
  const property = (name: string, value: string) =>
    Buffer.concat([
      Buffer.from([name.length]),
      Buffer.from(name),
      Buffer.from([0, 0, 0, value.length]),
      Buffer.from(value),
    ]);
  const properties = [property("Socket-Type", socketType)];
  if (identity !== undefined) properties.push(property("Identity", identity));
  return Buffer.concat([Buffer.from("\x02\x05READY"), ...properties]);
}

/** A WebSocket of `ZWS2.0/NULL` whose handshake is complete. */
export async function rawReady(
  endpoint: string,
  socketType: string,
  identity?: string,
): Promise<RawWebSocket> {
  const { raw } = await RawWebSocket.ask(endpoint);
  await raw.next();
  raw.say(ready(socketType, identity));
  return raw;
}

/** A server that answers the next request with this sub-protocol. */
export async function rawServer(
  protocol: string,
): Promise<{ endpoint: string; accepted: Promise<RawWebSocket> }> {
  const accepted = gate<RawWebSocket>();
  const server = createServer(async (socket) => {
    const raw = new RawWebSocket(socket);
    const key = /^Sec-WebSocket-Key: (.*)\r?$/m.exec(await raw.head())?.[1];
    const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`,
    );
    accepted.open(raw);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.close();
    (await accepted.opened).socket.destroy();
  });
  return {
    endpoint: `ws://127.0.0.1:${(server.address() as { port: number }).port}`,
    accepted: accepted.opened,
  };
}
