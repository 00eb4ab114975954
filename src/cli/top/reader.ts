/**
 * Reads the snapshots of a monitor socket. What comes is another process' word: it is checked, and texts lose what a terminal
 * would take for commands.
 */
import { type MonitorSnapshot, type SeenPeer, type SeenSocket, Subscriber, ZmqError } from "../../index.js";
import { TimeoutError } from "../errors.js";

/** The form that this program reads. */
const VERSION = 1;
const MAX_BYTES = 64 * 1024 * 1024;
const TOPIC = "snapshot";

type Fields = Readonly<Record<string, unknown>>;

function wrong(what: string): Error {
  return new Error(`This is no monitor of zwire: ${what}.`);
}

function fields(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null) throw wrong(`${what} is no object`);
  return value as Fields;
}

function list(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(`${what} is no list`);
  return value;
}

/** A text without control characters, which could move the cursor or set the title. */
function text(value: unknown, what: string): string {
  if (typeof value !== "string") throw wrong(`${what} is no text`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return value.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "?");
}

function number(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw wrong(`${what} is no number`);
  return value;
}

/** Milliseconds between snapshots, as openMonitor takes them. */
const INTERVAL = { least: 10, most: 3_600_000 };

/** The time between snapshots. With others, timers would fire at once, or never. */
function intervalOf(value: unknown): number {
  const given = number(value, "interval");
  const { least, most } = INTERVAL;
  if (given < least || given > most) throw wrong(`interval is not from ${least} to ${most}`);
  return given;
}

/** All numbers of an object; `needed` must be among them. */
function numbers(value: unknown, what: string, needed: readonly string[]): Record<string, number> {
  const given = fields(value, what);
  for (const name of needed) number(given[name], `${what}.${name}`);
  const found = Object.entries(given).filter(([, one]) => typeof one === "number");
  return Object.fromEntries(found) as Record<string, number>;
}

const STATS = [
  "sendQueue",
  "outboundQueue",
  "receiveQueue",
  "messagesSent",
  "messagesReceived",
  "dropped",
  "peers",
];
const FIGURES = [
  "id",
  "messagesSent",
  "messagesReceived",
  "bytesSent",
  "bytesReceived",
  "outboundQueue",
  "receiveQueue",
  "dropped",
];

function peerOf(value: unknown): SeenPeer {
  const given = fields(value, "a peer");
  const [address, endpoint] = [text(given.address, "address"), text(given.endpoint, "endpoint")];
  const socketType = text(given.socketType, "socketType");
  return { ...numbers(given, "a peer", FIGURES), address, endpoint, socketType } as unknown as SeenPeer;
}

function socketOf(value: unknown): SeenSocket {
  const given = fields(value, "a socket");
  return {
    id: number(given.id, "id"),
    type: text(given.type, "type"),
    bound: list(given.bound, "bound").map((one) => text(one, "an endpoint")),
    connected: list(given.connected, "connected").map((one) => text(one, "an endpoint")),
    stats: numbers(given.stats, "stats", STATS) as unknown as SeenSocket["stats"],
    events: numbers(given.events, "events", []) as SeenSocket["events"],
    peers: list(given.peers, "peers").map(peerOf),
    peersLeftOut: number(given.peersLeftOut, "peersLeftOut"),
  };
}

/** Reads a snapshot. @throws Error that says what is wrong */
export function parseSnapshot(json: string): MonitorSnapshot {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw wrong("what it publishes is not JSON");
  }
  const given = fields(value, "a snapshot");
  if (given.version !== VERSION) {
    throw new Error(
      `The monitor has version ${Number(given.version)} of its form; this program reads ${VERSION}.`,
    );
  }
  const program = fields(given.program, "program");
  return {
    version: VERSION,
    time: number(given.time, "time"),
    clock: number(given.clock, "clock"),
    interval: intervalOf(given.interval),
    program: {
      pid: number(program.pid, "pid"),
      thread: number(program.thread, "thread"),
      host: text(program.host, "host"),
      script: text(program.script, "script"),
      uptime: number(program.uptime, "uptime"),
      zwire: text(program.zwire, "zwire"),
      engine: text(program.engine, "engine"),
    },
    sockets: list(given.sockets, "sockets").map(socketOf),
  };
}

/** A connection to a monitor. */
export class MonitorReader {
  readonly #socket: Subscriber;
  readonly #endpoint: string;

  /** @param security options of the socket @throws as `connect` does */
  constructor(endpoint: string, security: object) {
    this.#endpoint = endpoint;
    this.#socket = new Subscriber({ maxMessageSize: MAX_BYTES, receiveHighWaterMark: 4, ...security });
    this.#socket.subscribe(TOPIC);
    this.#socket.connect(endpoint);
  }

  /** The next snapshot. @throws TimeoutError if none comes in time; the signal's reason; Error for what is none */
  async next(timeout: number, signal: AbortSignal): Promise<MonitorSnapshot> {
    try {
      const [, value] = await this.#socket.receive({ timeout, signal });
      if (value === undefined) throw wrong("its messages have one part");
      return parseSnapshot(String(value));
    } catch (error) {
      if (!(error instanceof ZmqError) || error.code !== "EAGAIN") throw error;
      const why = error.cause instanceof Error ? `: ${error.cause.message}` : "";
      throw new TimeoutError(`Nothing came from ${this.#endpoint} in ${timeout} ms${why}.`);
    }
  }

  close(): Promise<void> {
    return this.#socket.close({ linger: 0 });
  }
}
