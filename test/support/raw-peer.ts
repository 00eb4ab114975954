/**
 * A hand-driven ZMTP peer on node:net: the test writes and reads byte for byte, right or wrong. Its encoder and
 * decoder are its own, so that an error in zwire's codec cannot hide behind itself. Knows nothing of zwire.
 */
import { createServer, type Socket as NetSocket, connect as netConnect, type Server } from "node:net";

/** How long an expectation waits before the test fails. Only failing tests wait this long. */
const PATIENCE_MS = 20_000;

/** Fields of a greeting, as read or to be sent. */
export interface Greeting {
  readonly major: number;
  readonly minor: number;
  readonly mechanism: string;
  readonly asServer: number;
  readonly raw: Buffer;
}

/** One frame as it came. */
export interface Frame {
  readonly flags: number;
  readonly more: boolean;
  readonly long: boolean;
  readonly command: boolean;
  readonly body: Buffer;
}

/** A command frame taken apart. */
export interface Command {
  readonly name: string;
  readonly data: Buffer;
  readonly frame: Frame;
}

/** What a hand-made greeting may say. */
export interface GreetingOptions {
  major?: number;
  minor?: number;
  /** The 20 bytes are padded with NUL. */
  mechanism?: string;
  asServer?: number;
  padding?: Buffer;
  filler?: number;
}

/** Properties of READY: in order, names as given. */
export type Properties = ReadonlyArray<readonly [name: string, value: string | Buffer]>;

/** Encodes a greeting (RFC 37 §Formal Grammar). */
export function greeting(options: GreetingOptions = {}): Buffer {
  const octets = Buffer.alloc(64, 0);
  octets[0] = 0xff;
  options.padding?.copy(octets, 1, 0, 8);
  octets[9] = 0x7f;
  octets[10] = options.major ?? 3;
  octets[11] = options.minor ?? 1;
  octets.write(options.mechanism ?? "NULL", 12, 20, "latin1");
  octets[32] = options.asServer ?? 0;
  octets.fill(options.filler ?? 0, 33);
  return octets;
}

/** Encodes a frame; the long form where needed or asked for. `extraFlags` sets reserved bits. */
export function frame(
  body: Buffer | string,
  options: { more?: boolean; command?: boolean; long?: boolean; extraFlags?: number } = {},
): Buffer {
  const octets = typeof body === "string" ? Buffer.from(body, "latin1") : body;
  const long = options.long ?? octets.length > 255;
  const flags =
    (options.extraFlags ?? 0) | (options.more ? 1 : 0) | (long ? 2 : 0) | (options.command ? 4 : 0);
  if (!long) return Buffer.concat([Buffer.from([flags, octets.length]), octets]);
  const head = Buffer.alloc(9);
  head[0] = flags;
  head.writeBigUInt64BE(BigInt(octets.length), 1);
  return Buffer.concat([head, octets]);
}

/** Encodes a message: frames with MORE on all but the last. */
export function message(...parts: Array<Buffer | string>): Buffer {
  return Buffer.concat(parts.map((part, i) => frame(part, { more: i < parts.length - 1 })));
}

/** Encodes the body of a command: length-prefixed name, then data (E13). */
export function commandBody(name: string, data: Buffer | string = ""): Buffer {
  const octets = typeof data === "string" ? Buffer.from(data, "latin1") : data;
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name, "latin1"), octets]);
}

/** Encodes a command frame. */
export function command(name: string, data: Buffer | string = ""): Buffer {
  return frame(commandBody(name, data), { command: true });
}

/** Encodes the properties of a READY command (C4). */
export function metadata(properties: Properties): Buffer {
  return Buffer.concat(
    properties.map(([name, value]) => {
      const octets = typeof value === "string" ? Buffer.from(value, "latin1") : value;
      const head = Buffer.concat([Buffer.from([name.length]), Buffer.from(name, "latin1"), Buffer.alloc(4)]);
      head.writeUInt32BE(octets.length, head.length - 4);
      return Buffer.concat([head, octets]);
    }),
  );
}

/** Encodes READY for a socket type with further properties. */
export function ready(type: string, properties: Properties = []): Buffer {
  return command("READY", metadata([["Socket-Type", type], ...properties]));
}

/** Encodes PING (F6). */
export function ping(ttlTenths = 0, context = ""): Buffer {
  return command(
    "PING",
    Buffer.concat([Buffer.from([ttlTenths >> 8, ttlTenths & 0xff]), Buffer.from(context)]),
  );
}

/** Decodes properties; throws on anything malformed. */
export function parseMetadata(data: Buffer): Map<string, Buffer> {
  const result = new Map<string, Buffer>();
  for (let at = 0; at < data.length; ) {
    const nameEnd = at + 1 + data[at];
    const name = data.toString("latin1", at + 1, nameEnd);
    const valueEnd = nameEnd + 4 + data.readUInt32BE(nameEnd);
    if (valueEnd > data.length) throw new Error(`property ${name} overruns the command`);
    result.set(name, data.subarray(nameEnd + 4, valueEnd));
    at = valueEnd;
  }
  return result;
}

/** What a peer says in its half of the handshake. */
export interface HandshakeOptions extends GreetingOptions {
  type: string;
  properties?: Properties;
}

/** One connection, driven by hand. */
export class RawPeer {
  readonly socket: NetSocket;
  #chunks: Buffer[] = [];
  #length = 0;
  #ended = false;
  #wake: (() => void) | null = null;

  constructor(socket: NetSocket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => {
      this.#chunks.push(chunk as Buffer);
      this.#length += chunk.length;
      this.#wake?.();
    });
    // A reset is an end as well; which of the two it was is not what these tests are about.
    socket.on("error", () => this.#end());
    socket.on("end", () => this.#end());
    socket.on("close", () => this.#end());
  }

  /** Dials a tcp or ipc endpoint. */
  static async dial(endpoint: string): Promise<RawPeer> {
    const socket = netConnect(nodeAddress(endpoint));
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new RawPeer(socket);
  }

  /** Whether the far side has ended the connection. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Bytes received and not yet read. */
  get buffered(): number {
    return this.#length;
  }

  /** Sends bytes in one write. */
  write(...octets: Buffer[]): void {
    this.socket.write(Buffer.concat(octets));
  }

  /** Sends bytes one by one, each in a segment of its own as far as the kernel lets us. */
  async trickle(octets: Buffer): Promise<void> {
    for (const octet of octets) {
      if (this.socket.destroyed) return;
      await new Promise((resolve) => this.socket.write(Buffer.from([octet]), resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Reads exactly n bytes. */
  async read(n: number): Promise<Buffer> {
    await this.#until(() => this.#length >= n || this.#ended, `${n} octets`);
    if (this.#length < n) {
      throw new Error(
        `connection ended after ${this.#length} of ${n} octets: ${this.#all().toString("latin1")}`,
      );
    }
    const all = this.#all();
    this.#chunks = [all.subarray(n)];
    this.#length = all.length - n;
    return all.subarray(0, n);
  }

  /** Everything until the far side ends the connection. */
  async readToEnd(): Promise<Buffer> {
    await this.#until(() => this.#ended, "the end of the connection");
    return this.#all();
  }

  /** Resolves when the far side has ended the connection; bytes before that are dropped. */
  async closed(): Promise<void> {
    await this.readToEnd();
  }

  async readGreeting(): Promise<Greeting> {
    const raw = Buffer.from(await this.read(64));
    const mechanism = raw.toString("latin1", 12, 32).replace(/\0+$/, "");
    return { major: raw[10], minor: raw[11], mechanism, asServer: raw[32], raw };
  }

  async readFrame(): Promise<Frame> {
    const flags = (await this.read(1))[0];
    const long = (flags & 2) !== 0;
    const size = long ? Number((await this.read(8)).readBigUInt64BE()) : (await this.read(1))[0];
    const body = Buffer.from(await this.read(size));
    return { flags, more: (flags & 1) !== 0, long, command: (flags & 4) !== 0, body };
  }

  /** The next frame, which must be a command. */
  async readCommand(): Promise<Command> {
    const next = await this.readFrame();
    if (!next.command)
      throw new Error(`a message frame came instead of a command: ${next.body.toString("latin1")}`);
    const nameEnd = 1 + next.body[0];
    return { name: next.body.toString("latin1", 1, nameEnd), data: next.body.subarray(nameEnd), frame: next };
  }

  /** The next message. Commands between its frames fail the test. */
  async readMessage(): Promise<Buffer[]> {
    const parts: Buffer[] = [];
    for (;;) {
      const next = await this.readFrame();
      if (next.command)
        throw new Error(`a command came instead of a message: ${next.body.toString("latin1")}`);
      parts.push(next.body);
      if (!next.more) return parts;
    }
  }

  /** Both halves of a NULL handshake; gives what the far side said. */
  async handshake(
    options: HandshakeOptions,
  ): Promise<{ greeting: Greeting; properties: Map<string, Buffer> }> {
    this.write(greeting(options), ready(options.type, options.properties));
    const theirs = await this.readGreeting();
    const answer = await this.readCommand();
    if (answer.name !== "READY")
      throw new Error(`${answer.name} came instead of READY: ${answer.data.toString("latin1")}`);
    return { greeting: theirs, properties: parseMetadata(answer.data) };
  }

  /**
   * A round trip through the far side: everything written before has been handled when it resolves, and the far
   * side has sent nothing but what was expected. This is how a test proves that nothing else comes.
   */
  async barrier(): Promise<void> {
    const context = `b${barriers++}`;
    this.write(ping(0, context));
    const answer = await this.readCommand();
    if (answer.name !== "PONG" || answer.data.toString("latin1") !== context) {
      throw new Error(`${answer.name} ${answer.data.toString("latin1")} came instead of PONG ${context}`);
    }
  }

  /** Stops reading, so that the far side's writes back up. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Ends the connection at once. */
  close(): void {
    this.socket.destroy();
  }

  /** Ends the connection with a TCP reset. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  #all(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0];
  }

  #end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async #until(holds: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!holds()) {
      const left = deadline - Date.now();
      if (left <= 0) {
        throw new Error(
          `no ${what} within ${PATIENCE_MS} ms; there are ${this.#length} octets: ${this.#all().toString("latin1", 0, 200)}`,
        );
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = null;
    }
  }
}

let barriers = 0;

/** A listening raw peer. */
export class RawListener {
  readonly endpoint: string;
  readonly #server: Server;
  readonly #waiting: RawPeer[] = [];
  readonly #all = new Set<RawPeer>();
  #wake: (() => void) | null = null;
  /** Connections accepted so far. */
  accepted = 0;
  /** When each connection was accepted (performance.now()). */
  readonly times: number[] = [];

  private constructor(server: Server, endpoint: string) {
    this.#server = server;
    this.endpoint = endpoint;
    server.on("connection", (socket) => {
      const peer = new RawPeer(socket);
      this.accepted++;
      this.times.push(performance.now());
      this.#waiting.push(peer);
      this.#all.add(peer);
      this.#wake?.();
    });
  }

  /** Listens on a free tcp port, or on the endpoint given. */
  static async listen(endpoint = "tcp://127.0.0.1:0"): Promise<RawListener> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(nodeAddress(endpoint), resolve);
    });
    const address = server.address()!;
    const bound = typeof address === "string" ? endpoint : `tcp://${address.address}:${address.port}`;
    return new RawListener(server, bound);
  }

  /** The next connection. */
  async accept(patienceMs = PATIENCE_MS): Promise<RawPeer> {
    const deadline = Date.now() + patienceMs;
    while (this.#waiting.length === 0) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`no connection within ${patienceMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = null;
    }
    return this.#waiting.shift()!;
  }

  /** Stops listening and ends all connections. */
  async close(): Promise<void> {
    for (const peer of this.#all) peer.close();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** An endpoint as node:net wants it. */
function nodeAddress(endpoint: string): { host: string; port: number } | { path: string } {
  if (endpoint.startsWith("ipc://")) {
    const path = endpoint.slice(6);
    return { path: path.startsWith("@") ? `\0${path.slice(1)}` : path };
  }
  const match = /^tcp:\/\/(.*):(\d+)$/.exec(endpoint);
  if (match === null) throw new Error(`not a tcp or ipc endpoint: ${endpoint}`);
  return { host: match[1].replace(/^\[|\]$/g, ""), port: Number(match[2]) };
}
