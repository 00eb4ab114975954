/**
 * A network of one process, as a transport of zwire: it delays, cuts the bytes into pieces anywhere, takes no more than
 * its buffers hold, refuses, resets and goes silent, as the dice say. It tells nothing twice and mixes nothing up: what
 * arrives wrong is the fault of what is under test.
 */
import { ZmqError } from "../../src/base/errors.js";
import { FrameDecoder } from "../../src/engine/incoming/decoder.js";
import {
  type Acceptor,
  type AcceptorHandler,
  FrameFault,
  type FrameLimits,
  type Stream,
  type StreamHandler,
  type Transport,
} from "../../src/transport/contract/transport.js";
import type { Dice } from "./dice.js";
import { Tap } from "./tap.js";
import type { SimulatedWorld } from "./world.js";

/** What a network is like, in one run. */
export interface Weather {
  /** Milliseconds that anything takes at most. */
  readonly delayMs: number;
  /** Bytes that arrive together at most. */
  readonly pieceBytes: number;
  /** Bytes that one direction of a connection holds at most: both kernels' buffers. */
  readonly bufferBytes: number;
  /** How often an attempt to connect fails. */
  readonly refusals: number;
}

/** Pieces of a network that has calmed down are at least so large. */
const CALM_PIECE_BYTES = 4096;

function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`simulated ${code}`), { code });
}

/** One direction of a connection: what has been taken, and has not arrived. */
class Line {
  readonly pieces: Buffer[] = [];
  held = 0;
  /** Nothing passes any more; what is taken is lost. */
  broken = false;
  /** The sender has closed: its end arrives behind the rest. */
  ended = false;
  /** A step that delivers is on its way. */
  moving = false;
  readonly taken = new Tap();
  readonly arrived = new Tap();

  lose(): void {
    this.broken = true;
    this.pieces.length = 0;
    this.held = 0;
  }
}

class SimulatedStream implements Stream {
  readonly engine = "native";
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly connection: SimulatedConnection;
  handler: StreamHandler | null = null;
  #decoder: FrameDecoder | null = null;
  paused = false;
  closed = false;
  /** It knows that the connection is gone. */
  gone = false;
  received = 0;
  out!: Line;
  other!: SimulatedStream;
  #segments: readonly Uint8Array[] = [];
  #segment = 0;
  #offset = 0;
  #pending = 0;
  #drainDue = false;

  constructor(connection: SimulatedConnection, remoteAddress: string, localAddress: string) {
    this.connection = connection;
    this.remoteAddress = remoteAddress;
    this.localAddress = localAddress;
  }

  /** The session has read beyond the handshake: its peer was not refused. */
  get framed(): boolean {
    return this.#decoder !== null;
  }

  get partial(): boolean {
    return this.#decoder?.partial === true;
  }

  get unsent(): number {
    return this.#pending;
  }

  get untaken(): number {
    return this.#pending;
  }

  start(handler: StreamHandler): void {
    this.handler = handler;
    this.connection.move(this.other.out, this);
  }

  startFrames(limits: FrameLimits, leftover: Uint8Array): void {
    this.#decoder = new FrameDecoder(limits, {
      onFrames: (chunk, table, count) => this.handler?.onFrames(chunk, table, count),
      onLargeFrame: (body, flags) => this.handler?.onLargeFrame(body, flags),
    });
    if (leftover.length > 0) this.#deliver(Buffer.from(leftover));
  }

  write(segments: readonly Uint8Array[]): number {
    if (this.#pending > 0) throw new Error("a write while another is pending");
    if (this.closed) throw new Error("a write to a stream that is closed");
    this.#segments = segments;
    this.#segment = 0;
    this.#offset = 0;
    for (const { length } of segments) this.#pending += length;
    if (!this.gone) this.#take();
    this.#drainDue = this.#pending > 0;
    return this.#pending;
  }

  /** As much as the buffers hold. */
  #take(): void {
    const { out, connection } = this;
    let room = connection.bufferBytes - out.held;
    while (room > 0 && this.#segment < this.#segments.length) {
      const segment = this.#segments[this.#segment];
      const piece = Buffer.from(segment.subarray(this.#offset, this.#offset + room));
      room -= piece.length;
      this.#pending -= piece.length;
      out.taken.push(piece);
      if (!out.broken) {
        out.pieces.push(piece);
        out.held += piece.length;
      }
      this.#offset += piece.length;
      if (this.#offset < segment.length) break;
      this.#segment++;
      this.#offset = 0;
    }
    connection.move(out, this.other);
  }

  /** The buffers may have room. */
  goOn(): void {
    if (this.closed || this.gone || !this.#drainDue) return;
    this.#take();
    if (this.#pending > 0) return;
    this.#drainDue = false;
    this.handler?.onDrain();
  }

  /** Bytes have arrived. */
  arrive(chunk: Buffer): void {
    this.received += chunk.length;
    this.#deliver(chunk);
  }

  #deliver(chunk: Buffer): void {
    if (this.#decoder === null) {
      this.handler?.onBytes(chunk);
      return;
    }
    const fault = this.#decoder.push(chunk);
    if (fault !== FrameFault.none) this.#end(undefined, fault as FrameFault, this.#decoder.faultSize);
  }

  /** It learns that the connection is gone. */
  lost(error: NodeJS.ErrnoException | undefined): void {
    if (this.closed || this.gone) return;
    this.gone = true;
    if (this.handler !== null) this.#end(error, FrameFault.none, 0);
  }

  #end(error: NodeJS.ErrnoException | undefined, fault: FrameFault, octets: number): void {
    const { handler } = this;
    const pending = this.#pending;
    this.close();
    handler?.onClose(error, fault, pending, octets);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.connection.move(this.other.out, this);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.handler = null;
    this.#decoder?.close();
    this.connection.closedBy(this);
  }

  ref(): void {}
  unref(): void {}
}

class SimulatedConnection {
  readonly network: SimulatedNetwork;
  readonly name: string;
  readonly client: SimulatedStream;
  readonly server: SimulatedStream;
  readonly bufferBytes: number;
  readonly #dice: Dice;
  /** Nothing passes, and nobody knows. */
  silent = false;

  constructor(network: SimulatedNetwork, number: number, address: string, dice: Dice) {
    this.network = network;
    this.name = `${address}~${number}`;
    this.#dice = dice;
    this.bufferBytes = dice.scale(64, network.weather.bufferBytes);
    this.client = new SimulatedStream(this, `sim://${address}`, `sim://client/${number}`);
    this.server = new SimulatedStream(this, `sim://client/${number}`, `sim://${address}`);
    this.client.other = this.server;
    this.server.other = this.client;
    this.client.out = new Line();
    this.server.out = new Line();
  }

  get dead(): boolean {
    return this.client.closed && this.server.closed;
  }

  /** Brings what is on its way to its receiver, a piece at a time. */
  move(line: Line, receiver: SimulatedStream): void {
    if (line.moving || line.broken || this.silent || (line.held === 0 && !line.ended)) return;
    line.moving = true;
    this.network.soon(() => {
      line.moving = false;
      if (line.broken || this.silent || receiver.paused || receiver.handler === null) return;
      if (line.held === 0) {
        line.broken = true;
        receiver.lost(undefined);
        return;
      }
      const piece = this.#piece(line);
      line.held -= piece.length;
      const before = line.arrived.whole.length;
      line.arrived.push(piece);
      this.network.mostAtOnce = Math.max(this.network.mostAtOnce, line.arrived.whole.length - before);
      receiver.arrive(piece);
      if (!receiver.other.closed) this.network.soon(() => receiver.other.goOn());
      this.move(line, receiver);
    });
  }

  #piece(line: Line): Buffer {
    const { calm, weather } = this.network;
    const most = this.#dice.scale(
      1,
      calm ? Math.max(CALM_PIECE_BYTES, weather.pieceBytes) : weather.pieceBytes,
    );
    const [first] = line.pieces;
    if (first.length > most) {
      line.pieces[0] = first.subarray(most);
      return Buffer.from(first.subarray(0, most));
    }
    let bytes = 0;
    let count = 0;
    while (count < line.pieces.length && bytes + line.pieces[count].length <= most)
      bytes += line.pieces[count++].length;
    return Buffer.concat(line.pieces.splice(0, count));
  }

  /** One side has closed. The other learns of it behind what was sent, or by a reset that destroys that. */
  closedBy(stream: SimulatedStream): void {
    const { other } = stream;
    const unread = other.out.held > 0;
    other.out.lose();
    if (this.dead || this.silent || stream.out.broken) return;
    if (unread && this.#dice.chance(0.5)) {
      stream.out.lose();
      this.network.soon(() => other.lost(systemError("ECONNRESET")));
    } else {
      stream.out.ended = true;
      this.move(stream.out, other);
    }
  }

  /** The line is cut: both sides learn of it, some time. */
  cut(): void {
    for (const side of [this.client, this.server]) {
      side.out.lose();
      const code = this.#dice.pick(["ECONNRESET", "ECONNRESET", "ETIMEDOUT", ""]);
      this.network.soon(() => side.lost(code === "" ? undefined : systemError(code)));
    }
  }

  /** Nothing passes any more, and nobody is told. */
  silence(): void {
    this.silent = true;
  }
}

export class SimulatedNetwork implements Transport {
  readonly weather: Weather;
  readonly connections: SimulatedConnection[] = [];
  /** Messages that have come to their ends in one piece, at most. */
  mostAtOnce = 0;
  readonly #world: SimulatedWorld;
  readonly #dice: Dice;
  readonly #listeners = new Map<string, AcceptorHandler>();
  /** From now on it is fast, and no attempt fails. */
  calm = false;

  constructor(world: SimulatedWorld, dice: Dice, weather: Weather) {
    this.#world = world;
    this.#dice = dice;
    this.weather = weather;
  }

  /** After a delay. Steps with equal delays keep their order, others overtake each other. */
  soon(run: () => void): void {
    this.#world.timer(this.#dice.next() * this.weather.delayMs * (this.calm ? 0.1 : 1), run);
  }

  checkConnect(): void {}
  checkBind(): void {}

  listen(address: string, _options: unknown, handler: AcceptorHandler): Promise<Acceptor> {
    return Promise.resolve().then(() => this.listenSync(address, _options, handler));
  }

  listenSync(address: string, _options: unknown, handler: AcceptorHandler): Acceptor {
    if (this.#listeners.has(address)) throw new ZmqError("EADDRINUSE");
    this.#listeners.set(address, handler);
    return {
      address: `sim://${address}`,
      close: () => {
        this.#listeners.delete(address);
        return Promise.resolve();
      },
      ref() {},
      unref() {},
    };
  }

  connect(address: string, _options: unknown, signal: AbortSignal): Promise<Stream> {
    return new Promise((resolve, reject) => {
      let over = false;
      const gone = (): void => {
        over = true;
        reject(signal.reason);
      };
      signal.addEventListener("abort", gone, { once: true });
      this.soon(() => {
        if (over) return;
        signal.removeEventListener("abort", gone);
        const handler = this.#listeners.get(address);
        if (handler === undefined || (!this.calm && this.#dice.chance(this.weather.refusals))) {
          reject(systemError("ECONNREFUSED"));
          return;
        }
        const connection = new SimulatedConnection(this, this.connections.length, address, this.#dice.fork());
        this.connections.push(connection);
        this.#world.note(`connection ${connection.name}`);
        resolve(connection.client);
        // The listener may be gone by the time when it accepts.
        this.soon(() => {
          if (this.#listeners.get(address) === handler) handler.onStream(connection.server);
          else connection.cut();
        });
      });
    });
  }

  /** Something happens to a connection, if there is one. */
  strike(silently: boolean): void {
    const alive = this.connections.filter((one) => !one.dead && !one.silent && !one.client.out.broken);
    if (alive.length === 0) return;
    const one = this.#dice.pick(alive);
    this.#world.note(`${silently ? "silence" : "cut"} ${one.name}`);
    if (silently) one.silence();
    else one.cut();
  }
}
