/** What the programs of a simulation have in common: sockets, their options, troubles, and an end. */
import { Runtime } from "../../src/base/runtime.js";
import { Context } from "../../src/index.js";
import { registerTransport } from "../../src/transport/registry.js";
import { Dice } from "./dice.js";
import { Ledger } from "./ledger.js";
import { SimulatedNetwork } from "./network.js";
import { SimulatedWorld } from "./world.js";

/** What a simulation needs to know of a socket. */
export interface AnySocket {
  readonly closed: boolean;
  readonly stats: { readonly outboundQueue: number; readonly receiveQueue: number; readonly dropped: number };
  bind(endpoint: string): Promise<string>;
  unbind(endpoint: string): Promise<void>;
  connect(endpoint: string): void;
  close(options?: { linger?: number }): Promise<void>;
  readonly peers: readonly { readonly id: number }[];
  disconnectPeer(peer: { readonly id: number }, options?: { linger?: number }): boolean;
  on(type: "handshake" | "disconnect", listener: () => void): unknown;
}

/** Virtual time after which a program hangs. */
const LIMIT_MS = 600_000;
/** Nothing has moved for so long: all is delivered. */
const QUIET_MS = 1500;

const MARKS = [0, 1, 2, 10, 1000, 1000];

interface Watched {
  readonly socket: AnySocket;
  readonly name: string;
  readonly options: Options;
  connects: number;
  /** Connections that there have been since nothing was unread. */
  connections: number;
}

export interface Options {
  readonly sendHighWaterMark?: number;
  readonly receiveHighWaterMark?: number;
  readonly immediate: boolean;
}

export class Scene {
  readonly seed: number;
  readonly dice: Dice;
  readonly world: SimulatedWorld;
  readonly network: SimulatedNetwork;
  readonly ledger: Ledger;
  readonly context = new Context();
  /** Nothing goes wrong in this run. */
  readonly calm: boolean;
  /** Very many small messages instead of some of any size. */
  readonly tiny: boolean;
  /** Receivers do not dawdle any more. */
  hurry = false;
  /** Connections may go silent: everybody has heartbeats. */
  readonly #heartbeats: boolean;
  readonly #sockets: Watched[] = [];
  readonly #unregister: () => void;

  constructor(seed: number) {
    this.seed = seed;
    this.dice = new Dice(seed);
    const { dice } = this;
    this.world = new SimulatedWorld(dice.fork());
    this.calm = dice.chance(0.25);
    this.#heartbeats = !this.calm && dice.chance(0.5);
    this.tiny = dice.chance(0.1);
    const pieceBytes = dice.scale(this.tiny ? 100 : 1, 65536);
    this.network = new SimulatedNetwork(this.world, dice.fork(), {
      delayMs: dice.scale(1, 200) / 10,
      pieceBytes,
      bufferBytes: dice.scale(256, 500_000),
      refusals: this.calm ? 0 : dice.pick([0, 0, 0.2, 0.5]),
    });
    this.ledger = new Ledger(
      seed,
      Math.min(this.tiny ? 20 : dice.pick([20, 300, 3000, 40_000]), pieceBytes * 50),
    );
    this.context.runtime = new Runtime(this.world);
    this.#unregister = registerTransport("sim", this.network);
    this.world.inspect = () => this.#checkMarks();
  }

  /** Options for a socket that sends, receives, or does both; drawn anew for each. */
  options(direction: "out" | "in" | "both"): Options & Record<string, unknown> {
    const { dice } = this;
    const sends = direction !== "in";
    const receives = direction !== "out";
    return {
      context: this.context,
      linger: -1,
      reconnectInterval: dice.int(1, 30),
      reconnectMaxInterval: dice.pick([0, 0, 100]),
      handshakeInterval: this.calm ? 0 : 1000,
      heartbeatInterval: this.#heartbeats ? dice.int(50, 100) : 0,
      heartbeatTimeout: this.#heartbeats ? 400 : -1,
      maxResends: dice.pick([-1, -1, -1, 0, 3]),
      immediate: !this.calm && dice.chance(0.1),
      ...(sends ? { sendHighWaterMark: dice.pick(MARKS) } : {}),
      ...(receives ? { receiveHighWaterMark: dice.pick(MARKS), messagePeers: true } : {}),
    };
  }

  watch<T extends AnySocket>(socket: T, name: string, options: Options): T {
    const watched: Watched = { socket, name, options, connects: 0, connections: 0 };
    this.#sockets.push(watched);
    socket.on("handshake", () => {
      watched.connections++;
      this.world.note(`${name} has a peer`);
    });
    socket.on("disconnect", () => this.world.note(`${name} has lost a peer`));
    return socket;
  }

  /** Connects each of some sockets with one or all of the others. */
  async join(binders: readonly AnySocket[], connectors: readonly AnySocket[], all: boolean): Promise<void> {
    for (const [i, binder] of binders.entries()) await binder.bind(`sim://${i}`);
    const most = Math.max(binders.length, connectors.length);
    for (let i = 0; i < (all ? binders.length * connectors.length : most); i++) {
      const connector = connectors[all ? Math.floor(i / binders.length) : i % connectors.length];
      this.#connect(connector, i % binders.length);
    }
  }

  #connect(socket: AnySocket, to: number): void {
    (this.#sockets.find((one) => one.socket === socket) as Watched).connects++;
    socket.connect(`sim://${to}`);
  }

  #checkMarks(): void {
    for (const watched of this.#sockets) {
      const { socket, name, options, connects } = watched;
      const { outboundQueue, receiveQueue } = socket.stats;
      const pipes = Math.max(connects, socket.peers.length);
      const { sendHighWaterMark: mark = 0, receiveHighWaterMark = 0 } = options;
      if (mark > 0 && outboundQueue > mark * pipes) {
        throw new Error(
          `${name}: ${outboundQueue} messages wait for ${pipes} peers, above the mark of ${mark}`,
        );
      }
      if (receiveQueue === 0) watched.connections = socket.peers.length;
      const most = (receiveHighWaterMark + this.network.mostAtOnce) * watched.connections;
      if (receiveHighWaterMark > 0 && receiveQueue > most) {
        throw new Error(
          `${name}: ${receiveQueue} messages are unread, above the mark of ${receiveHighWaterMark}`,
        );
      }
    }
  }

  /** Waits for some time, often none. */
  dawdle(dice: Dice, ms: number): Promise<void> | undefined {
    if (this.hurry || dice.chance(0.6)) return undefined;
    return this.world.sleep(dice.next() * ms);
  }

  /** Cuts and silences, until told that it is enough. Restarts are of bound endpoints. */
  async trouble(binders: readonly AnySocket[]): Promise<void> {
    if (this.calm) return;
    const dice = this.dice.fork();
    const restarts = dice.chance(0.3);
    const sendsAway = dice.chance(0.2);
    for (let left = dice.int(1, 12); left > 0; left--) {
      await this.world.sleep(dice.scale(1, 300));
      if (dice.chance(0.1)) this.world.block(dice.int(10, 200)); // somebody computes
      if (restarts && dice.chance(0.3)) await this.#restart(dice.int(0, binders.length - 1), binders, dice);
      else if (sendsAway && dice.chance(0.4)) this.#sendAway(dice.pick(binders), dice);
      else this.network.strike(this.#heartbeats && dice.chance(0.4));
    }
  }

  /** Those who are sent away by a bound socket dial again. */
  #sendAway(binder: AnySocket, dice: Dice): void {
    const { peers } = binder;
    if (peers.length === 0) return;
    const peer = dice.pick(peers);
    this.world.note(`${peer.id} is sent away`);
    if (!binder.disconnectPeer(peer)) throw new Error("a peer that is there could not be sent away");
  }

  async #restart(index: number, binders: readonly AnySocket[], dice: Dice): Promise<void> {
    this.world.note(`restart of ${index}`);
    const unbound = binders[index].unbind(`sim://${index}`);
    await this.world.sleep(dice.int(0, 100));
    void unbound.catch(() => {});
    await binders[index].bind(`sim://${index}`);
  }

  /** The network is good from now on. */
  heal(): void {
    this.network.calm = true;
    this.hurry = true;
    this.world.note("the network is good");
  }

  /** Resolves when nothing has moved for a while, and nothing waits. */
  async quiet(): Promise<void> {
    let since = this.world.now();
    let seen = -1;
    while (this.world.now() - since < QUIET_MS) {
      await this.world.sleep(50);
      const waiting = this.#sockets.some(
        ({ socket }) => socket.stats.outboundQueue + socket.stats.receiveQueue > 0,
      );
      if (this.ledger.received === seen && !waiting) continue;
      seen = this.ledger.received;
      since = this.world.now();
    }
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#sockets.map(({ socket }) => socket.close()));
  }

  /** What cannot be thrown where anybody waits for it ends the run all the same. */
  readonly fail = (error: unknown): void => {
    this.#failed(error);
  };
  #failed: (error: unknown) => void = () => {};
  readonly #failure = new Promise<void>((_, reject) => {
    this.#failed = reject;
  });

  /** Runs a program to its end. */
  async play(program: (scene: Scene) => Promise<void>): Promise<void> {
    try {
      await this.world.run(Promise.race([program(this), this.#failure]), LIMIT_MS);
    } finally {
      this.#unregister();
      this.world.inspect = () => {};
      for (const { socket } of this.#sockets)
        if (!socket.closed) void socket.close({ linger: 0 }).catch(() => {});
    }
  }
}
