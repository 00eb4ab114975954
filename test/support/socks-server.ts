/**
 * A SOCKS5 proxy (RFC 1928, RFC 1929) for tests: it works, and misbehaves where a test asks for it. Remembers what it
 * was asked. Knows nothing of zwire.
 */
import { createServer, connect as netConnect, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** What a client asked for. */
export interface SocksRequest {
  readonly methods: number[];
  readonly username?: string;
  readonly password?: string;
  readonly type: "ipv4" | "ipv6" | "name";
  readonly host: string;
  readonly port: number;
}

/** How the proxy behaves. May be changed between connections. */
export interface SocksBehaviour {
  /** Demands user and password. */
  credentials?: { username: string; password: string };
  /** Where names lead: they are resolved here, and nowhere else. */
  names?: Record<string, string>;
  /** Sends its answers byte by byte. */
  drip?: boolean;
  /** Holds the reply back until the destination speaks, and sends both as one. */
  glue?: boolean;
  /** Answers requests with this code instead of connecting. */
  refuse?: number;
  /** Says nothing from this answer on. */
  hang?: "method" | "authentication" | "reply";
  /** Closes instead of this answer. */
  close?: "method" | "authentication" | "reply";
  /** Sends these bytes instead of the answer. */
  instead?: Partial<Record<"method" | "authentication" | "reply", number[]>>;
  /** Address that the reply names as its own: as many bytes of name, or a family. */
  boundTo?: "ipv4" | "ipv6" | number;
}

type Stage = "method" | "authentication" | "reply";

/** Reads a socket by counts. */
class Octets {
  #held = Buffer.alloc(0);
  #wanted: { count: number; resolve: (octets: Buffer) => void } | null = null;

  push(chunk: Buffer): void {
    this.#held = Buffer.concat([this.#held, chunk]);
    this.#serve();
  }

  take(count: number): Promise<Buffer> {
    return new Promise((resolve) => {
      this.#wanted = { count, resolve };
      this.#serve();
    });
  }

  rest(): Buffer {
    const rest = this.#held;
    this.#held = Buffer.alloc(0);
    return rest;
  }

  #serve(): void {
    if (this.#wanted === null || this.#held.length < this.#wanted.count) return;
    const { count, resolve } = this.#wanted;
    this.#wanted = null;
    const octets = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    resolve(octets);
  }
}

export class SocksServer {
  readonly requests: SocksRequest[] = [];
  behaviour: SocksBehaviour;
  /** Connections from clients that are open. */
  open = 0;
  /** Connections from clients so far. */
  accepted = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(behaviour: SocksBehaviour) {
    this.behaviour = behaviour;
    this.#server = createServer((client) => {
      this.accepted++;
      this.open++;
      this.#keep(client);
      client.on("close", () => this.open--);
      void this.#serve(client);
    });
  }

  /** Listens until the test ends. */
  static async start(behaviour: SocksBehaviour = {}, host = "127.0.0.1"): Promise<SocksServer> {
    const proxy = new SocksServer(behaviour);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(0, host, resolve);
    });
    onTestFinished(() => proxy.stop());
    return proxy;
  }

  /** `host:port`, as the option socksProxy wants it. */
  get address(): string {
    const { address, port, family } = this.#server.address() as {
      address: string;
      port: number;
      family: string;
    };
    return family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`;
  }

  /** Drops every connection, and stops to listen. */
  stop(): void {
    this.#server.close();
    this.drop();
  }

  /** Drops every connection. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => {}); // a side that goes away is an ordinary thing
    socket.on("close", () => this.#sockets.delete(socket));
  }

  async #serve(client: Socket): Promise<void> {
    const input = new Octets();
    const read = (chunk: Buffer): void => input.push(chunk);
    client.on("data", read);
    client.on("end", () => client.destroy());
    const { credentials } = this.behaviour;
    const [, count] = await input.take(2);
    const methods = [...(await input.take(count))];
    const method = credentials === undefined ? 0 : 2;
    const accepted = methods.includes(method);
    if (!(await this.#answer(client, "method", [5, accepted ? method : 0xff]))) return;
    if (!accepted) return void client.end();
    let login = {};
    if (credentials !== undefined) {
      login = await readLogin(input);
      const right = JSON.stringify(login) === JSON.stringify(credentials);
      if (!(await this.#answer(client, "authentication", [1, right ? 0 : 1]))) return;
      if (!right) return void client.end();
    }
    const request = { methods, ...login, ...(await readDestination(input)) };
    this.requests.push(request);
    const far = await this.#reach(client, request);
    if (far === undefined) return;
    client.off("data", read);
    far.write(input.rest());
    client.on("data", (chunk) => far.write(chunk));
    client.on("close", () => far.destroy());
  }

  /** Connects to the destination and replies; undefined where there is nothing to relay. */
  async #reach(client: Socket, request: SocksRequest): Promise<Socket | undefined> {
    const { refuse, glue, names = {} } = this.behaviour;
    if (refuse !== undefined) {
      await this.#answer(client, "reply", [5, refuse, 0, 1, 0, 0, 0, 0, 0, 0]);
      client.end();
      return undefined;
    }
    const far = netConnect(request.port, names[request.host] ?? request.host);
    this.#keep(far);
    const connected = await new Promise<boolean>((resolve) => {
      far.once("connect", () => resolve(true));
      far.once("error", () => resolve(false));
    });
    if (!connected) {
      await this.#answer(client, "reply", [5, 5, 0, 1, 0, 0, 0, 0, 0, 0]);
      client.end();
      return undefined;
    }
    const first = glue
      ? await new Promise<Buffer<ArrayBuffer>>((resolve) => far.once("data", resolve))
      : Buffer.alloc(0);
    if (glue) far.pause();
    if (!(await this.#answer(client, "reply", this.#granted(), first))) {
      far.destroy();
      return undefined;
    }
    far.on("data", (chunk) => client.write(chunk));
    far.on("close", () => client.destroy());
    far.resume();
    return far;
  }

  #granted(): number[] {
    const { boundTo = "ipv4" } = this.behaviour;
    if (boundTo === "ipv4") return [5, 0, 0, 1, 127, 0, 0, 1, 4, 56];
    if (boundTo === "ipv6") return [5, 0, 0, 4, ...new Array<number>(15).fill(0), 1, 4, 56];
    return [5, 0, 0, 3, boundTo, ...new Array<number>(boundTo).fill(0x78), 4, 56];
  }

  /** False where the connection goes no further. */
  async #answer(client: Socket, stage: Stage, octets: number[], glued = Buffer.alloc(0)): Promise<boolean> {
    const { hang, close, instead, drip } = this.behaviour;
    if (hang === stage) return false;
    if (close === stage) {
      client.end();
      return false;
    }
    const said = Buffer.from(instead?.[stage] ?? octets);
    const whole = drip ? said.length - 1 : 0;
    for (let i = 0; i < whole; i++) {
      client.write(said.subarray(i, i + 1));
      // Client and proxy share this process: in a few turns the byte has been read.
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    client.write(Buffer.concat([said.subarray(whole), glued]));
    return instead?.[stage] === undefined;
  }
}

/** RFC 1929 §2. */
async function readLogin(input: Octets): Promise<{ username: string; password: string }> {
  const [, userLength] = await input.take(2);
  const username = String(await input.take(userLength));
  const [passwordLength] = await input.take(1);
  return { username, password: String(await input.take(passwordLength)) };
}

/** RFC 1928 §4. */
async function readDestination(input: Octets): Promise<Pick<SocksRequest, "type" | "host" | "port">> {
  const [, , , atyp] = await input.take(4);
  let type: SocksRequest["type"] = "ipv4";
  let host: string;
  if (atyp === 3) {
    type = "name";
    const [length] = await input.take(1);
    host = String(await input.take(length));
  } else if (atyp === 4) {
    type = "ipv6";
    const octets = await input.take(16);
    const groups = Array.from({ length: 8 }, (_, i) => octets.readUInt16BE(2 * i).toString(16));
    host = groups.join(":");
  } else host = [...(await input.take(4))].join(".");
  return { type, host, port: (await input.take(2)).readUInt16BE() };
}
