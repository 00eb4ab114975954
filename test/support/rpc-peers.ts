/**
 * Scripted peers for the tests of zwire/rpc: a client and a server that say exactly what a test tells them, in bytes
 * written by hand, and a clock that stands still. They know no code of zwire/rpc.
 */
import { randomBytes } from "node:crypto";
import { onTestFinished } from "vitest";
import { Dealer, type DealerOptions, Router } from "../../src/index.js";
import type { ClientOptions, Remote, RemoteControl, ServeOptions } from "../../src/rpc.js";
import { type Client, connect, type Server, serve } from "../../src/rpc.js";
import { managed, until } from "./helpers.js";
import { arr, bin, decode, int, map, plain, str, type Wire } from "./msgpack.js";

/** A received event, decoded. */
export interface Heard {
  readonly header: Record<string, unknown>;
  /** Header values with their wire types. */
  readonly wire: Record<string, Wire>;
  readonly name: unknown;
  readonly args: unknown;
  readonly argsWire: Wire;
  readonly payload: Buffer;
  /** Frames in front of the payload. */
  readonly envelope: Buffer[];
}

function hear(frames: Buffer[]): Heard {
  const payload = frames[frames.length - 1];
  const value = decode(payload);
  if (value.type !== "array" || value.items.length !== 3) throw new Error("no event");
  const [header, name, args] = value.items;
  if (header.type !== "map") throw new Error("no header");
  return {
    header: plain(header) as Record<string, unknown>,
    wire: Object.fromEntries(header.entries.map(([key, inner]) => [String(plain(key)), inner])),
    name: plain(name),
    args: plain(args),
    argsWire: args,
    payload,
    envelope: frames.slice(0, -1),
  };
}

/** Bytes of an event. */
export function event(header: Record<string, Buffer>, name: string, args: Buffer): Buffer {
  return arr(map(header), str(name), args);
}

let ids = 0;

/** A fresh id as Python makes them: 32 hexadecimal digits. */
export function newId(): string {
  return `${(++ids).toString(16).padStart(8, "0")}a1b2c3d4e5f6a7b8c9d0e1f2`;
}

/** Speaks as a client of old would: a Dealer with events written by hand. */
export class ScriptedClient {
  readonly socket: Dealer;
  readonly heard: Heard[] = [];

  constructor(endpoint: string, options: DealerOptions = {}) {
    this.socket = managed(new Dealer(options));
    this.socket.on("message", (frames) => this.heard.push(hear(frames)));
    this.socket.connect(endpoint);
  }

  /** Send a payload behind the delimiter. */
  async raw(...frames: (Buffer | string)[]): Promise<void> {
    await this.socket.send(frames);
  }

  /** Send an event as Python would; returns its id. */
  async say(name: string, args: Buffer, header: Record<string, Buffer> = {}): Promise<string> {
    const id = newId();
    await this.raw("", event({ message_id: bin(id), v: int(3), ...header }, name, args));
    return id;
  }

  /** Send an event on an open channel. */
  async follow(id: string, name: string, args: Buffer, header: Record<string, Buffer> = {}): Promise<void> {
    await this.say(name, args, { response_to: bin(id), ...header });
  }

  /** Call with integers, and wait for the first answer. */
  async call(name: string, ...args: Buffer[]): Promise<Heard> {
    const id = await this.say(name, arr(...args));
    return this.answer(id);
  }

  /** Events of a channel so far. */
  on(id: string): Heard[] {
    return this.heard.filter(({ header }) => String(header.response_to) === id);
  }

  /** The nth event of a channel (from 1), now or when it comes. */
  async answer(id: string, nth = 1): Promise<Heard> {
    await until(() => this.on(id).length >= nth, `event ${nth} of channel ${id}, after ${this.names(id)}`);
    return this.on(id)[nth - 1];
  }

  names(id: string): unknown[] {
    return this.on(id).map(({ name }) => name);
  }
}

/** Speaks as a server of old would: a Router with events written by hand. */
export class ScriptedServer {
  readonly socket: Router;
  readonly heard: Heard[] = [];
  endpoint = "";

  private constructor(socket: Router) {
    this.socket = managed(socket);
    socket.on("message", (frames) => this.heard.push(hear(frames)));
  }

  static async listen(endpoint = "tcp://127.0.0.1:*"): Promise<ScriptedServer> {
    const server = new ScriptedServer(new Router());
    server.endpoint = await server.socket.bind(endpoint);
    return server;
  }

  /** The nth event of a name (from 1), now or when it comes. */
  async next(name: string, nth = 1): Promise<Heard> {
    const those = () => this.heard.filter((one) => one.name === name);
    await until(() => those().length >= nth, `event ${nth} named ${name}, after ${this.names.join(" ")}`);
    return those()[nth - 1];
  }

  get names(): string[] {
    return this.heard.map(({ name }) => String(name));
  }

  /** Send an event on the channel that a request opened. */
  async reply(to: Heard, name: string, args: Buffer, header: Record<string, Buffer> = {}): Promise<void> {
    const id = to.header.response_to ?? to.header.message_id;
    const fields = { message_id: bin(newId()), v: int(3), response_to: bin(id as Buffer), ...header };
    await this.socket.send([...to.envelope, event(fields, name, args)]);
  }
}

/** A server that is closed when the test ends. */
export async function serving(service: object, options?: ServeOptions): Promise<Server> {
  const server = await serve("tcp://127.0.0.1:*", service, options);
  onTestFinished(() => server.close({ grace: 0, linger: 0 }));
  return server;
}

/** A client that is closed when the test ends. */
export function calling<Api = unknown>(
  endpoints: string | string[],
  options?: ClientOptions,
): Remote<Api> & RemoteControl<Client> {
  const api = connect<Api>(endpoints, options);
  onTestFinished(() => api.$close());
  return api;
}

/** A clock that goes only when it is told to; turns and random bytes are real. */
export class ManualClock {
  #now = 1000;
  #timers = new Set<{ at: number; due: () => void }>();

  now(): number {
    return this.#now;
  }

  date(): number {
    return Date.now();
  }

  nextTick(run: () => void): void {
    process.nextTick(run);
  }

  later(run: () => void): void {
    setImmediate(run);
  }

  randomBytes(count: number): Buffer {
    return randomBytes(count);
  }

  after(milliseconds: number, due: () => void): () => void {
    const timer = { at: this.#now + milliseconds, due };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  afterAlive(milliseconds: number, due: () => void): () => void {
    return this.after(milliseconds, due);
  }

  /** Let time pass, timer by timer. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const next = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.due();
    }
    this.#now = end;
  }

  get timers(): number {
    return this.#timers.size;
  }
}
