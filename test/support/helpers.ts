/**
 * What the conformance and life-cycle tests share: clean-up after a test, a record of a socket's events, and waiting
 * for a state without sleeping. Knows zwire only by its public types.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Socket } from "../../src/index.js";
import { type HandshakeOptions, RawListener, RawPeer } from "./raw-peer.js";

/** How long a state may take to come. Only failing tests wait this long. */
const PATIENCE_MS = 20_000;

/** All event names of a zwire socket. */
export const EVENT_NAMES = [
  "accept",
  "accept:error",
  "bind",
  "bind:error",
  "connect",
  "connect:delay",
  "connect:retry",
  "close",
  "close:error",
  "disconnect",
  "handshake",
  "memory",
  "handshake:error:protocol",
  "handshake:error:auth",
  "handshake:error:tls",
  "handshake:error:other",
  "limit",
  "end",
] as const;

/** An event with every field that one may have. */
export interface AnyEvent {
  readonly type: (typeof EVENT_NAMES)[number];
  readonly address: string;
  readonly endpoint?: string;
  readonly peer?: {
    id: number;
    address: string;
    endpoint: string;
    socketType: string;
    routingId: Buffer;
    metadata: ReadonlyMap<string, Buffer>;
  };
  readonly error?: Error & { code?: string };
  readonly interval?: number;
  readonly limit?: string;
  readonly action?: string;
  readonly value?: number;
  /** When it was told (performance.now()). */
  readonly at: number;
}

/** Closes the socket, without linger, when the test ends. */
export function managed<T extends Socket>(socket: T): T {
  onTestFinished(() => socket.close({ linger: 0 }));
  return socket;
}

/** Dials with a raw peer that goes away when the test ends. */
export async function rawDial(endpoint: string): Promise<RawPeer> {
  const peer = await RawPeer.dial(endpoint);
  onTestFinished(() => peer.close());
  return peer;
}

/** Dials and does the handshake. */
export async function rawConnected(endpoint: string, options: HandshakeOptions): Promise<RawPeer> {
  const peer = await rawDial(endpoint);
  await peer.handshake(options);
  return peer;
}

/** Listens with a raw peer until the test ends. */
export async function rawListen(endpoint?: string): Promise<RawListener> {
  const listener = await RawListener.listen(endpoint);
  onTestFinished(() => listener.close());
  return listener;
}

/** Waits until a number has grown above `least` and does not change any more. @returns it */
export async function standing(
  read: () => number | Promise<number>,
  what: string,
  least = 0,
): Promise<number> {
  let before = -1;
  let same = 0;
  await until(async () => {
    const now = await read();
    same = now === before ? same + 1 : 0;
    before = now;
    return same > 20 && now > least;
  }, what);
  return before;
}

/** Resolves when the predicate holds; polls, because a state may have no event. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${patienceMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Lets the event loop turn a number of times: to show that something does not happen of itself. */
export async function turns(n: number): Promise<void> {
  for (let i = 0; i < n; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** A promise's outcome with a deadline of its own, for calls that must not hang. */
export async function within<T>(promise: Promise<T>, what: string, patienceMs = PATIENCE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${patienceMs} ms`)), patienceMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether a promise has settled by now, without waiting for it. */
export async function settled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol("pending");
  const first = await Promise.race([
    promise.then(
      () => null,
      () => null,
    ),
    turns(5).then(() => pending),
  ]);
  return first !== pending;
}

/** Listens to any event: the types of `on` want one name, known when compiled. */
export function listen(socket: Socket, name: string, listener: (event: AnyEvent) => void): void {
  (socket.on as (name: string, listener: (event: AnyEvent) => void) => unknown).call(socket, name, listener);
}

/** Everything that a socket tells from now on. */
export class EventRecord {
  readonly events: AnyEvent[] = [];

  constructor(socket: Socket) {
    for (const name of EVENT_NAMES) {
      listen(socket, name, (event) => this.events.push({ ...event, at: performance.now() }));
    }
  }

  /** Events of one name, or of all names with a prefix ending in `:`. */
  of(name: string): AnyEvent[] {
    return this.events.filter(
      (event) => event.type === name || (name.endsWith(":") && event.type.startsWith(name)),
    );
  }

  /** Names in the order in which they came. */
  get names(): string[] {
    return this.events.map((event) => event.type);
  }

  /** The nth event of a name (from 1), now or when it comes. */
  async next(name: string, nth = 1, patienceMs = PATIENCE_MS): Promise<AnyEvent> {
    await until(
      () => this.of(name).length >= nth,
      `event ${name} (number ${nth}; so far ${this.names.join(" ")})`,
      patienceMs,
    ).catch((error) => {
      throw new Error(`${error.message}; saw ${this.names.join(" ") || "none"}`);
    });
    return this.of(name)[nth - 1];
  }
}

/** Starts to record a socket's events. */
export function record(socket: Socket): EventRecord {
  return new EventRecord(socket);
}

/** A directory for ipc files that goes away when the test ends. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "zw"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

let names = 0;

/** The transports that the shared suites run over. `endpoint` gives one to bind, `absent` one that nobody has bound yet. */
export const TRANSPORTS = [
  { name: "tcp", endpoint: () => "tcp://127.0.0.1:*", absent: freePort },
  { name: "ipc", endpoint: () => "ipc://*", absent: async () => `ipc://${temporaryDirectory()}/s` },
  { name: "inproc", endpoint: inprocName, absent: async () => inprocName() },
] as const;

function inprocName(): string {
  return `inproc://test-${process.pid}-${names++}`;
}

/** A loopback address that no other test process uses: a port found free on it stays free. */
export function ownLoopback(): string {
  if (process.platform !== "linux") return "127.0.0.1"; // elsewhere only 127.0.0.1 is configured
  return `127.${64 + (process.pid % 128)}.${Math.floor(process.pid / 128) % 256}.${1 + (names++ % 250)}`;
}

/** A tcp endpoint where nobody listens. */
export async function freePort(): Promise<string> {
  const listener = await RawListener.listen(`tcp://${ownLoopback()}:0`);
  await listener.close();
  return listener.endpoint;
}

/** Text of a message's parts. */
export function texts(parts: readonly Uint8Array[]): string[] {
  return parts.map((part) => Buffer.from(part).toString("latin1"));
}

/** A promise to be settled from outside. */
export function gate<T = void>() {
  let open!: (value: T) => void;
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}
