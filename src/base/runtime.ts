/**
 * What sockets need of the world besides their transports: time, turns of the event loop and random numbers. A socket
 * gets it from its context, and hands it to everything that it makes. A process has one; a test may hand in its own, and
 * then runs are simulated and can be repeated.
 */
import { Agenda } from "./agenda.js";
import type { AssertionError } from "./assert.js";
import { EventLoop, type LoopClock, systemClock } from "./deadline.js";
import { bugsAreThrown, nextTick, random, randomInt } from "./platform.js";
import { TurnEnd } from "./turn-end.js";

/** The world itself: the system, or a simulation. */
export interface World extends LoopClock {
  /** Calls a function when the present call stack is done, before any input or timer. */
  nextTick(run: () => void): void;
  /** A number from 0 to below 1. It may be predictable. */
  random(): number;
  /** 32 random bits that a peer cannot predict. */
  random32(): number;
  /** An assertion of zwire has failed; its connection ends. Tests make it fail what runs. */
  bug(error: AssertionError): void;
}

const system: World = {
  ...systemClock,
  nextTick,
  random,
  random32: () => randomInt(2 ** 32),
  bug(error) {
    if (!bugsAreThrown()) return;
    nextTick(() => {
      throw error;
    });
  },
};

/** Time, turns and randomness for any number of sockets of one thread. */
export class Runtime {
  readonly loop: EventLoop;
  /** The waits of all connections. */
  readonly agenda: Agenda;
  /** Tells whatever gathers messages that the turn is over. */
  readonly turnEnd: TurnEnd;
  /** One promise for everything that waits for the next turn. */
  #turn: Promise<void> | null = null;
  #lastId = 0;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    this.loop = new EventLoop(world);
    this.agenda = new Agenda(this.loop);
    this.turnEnd = new TurnEnd((run) => world.nextTick(run));
  }

  /** Milliseconds by a clock that only goes forward. */
  now(): number {
    return this.#world.now();
  }

  /** Calls a function when the present call stack is done, before any input or timer. */
  nextTick(run: () => void): void {
    this.#world.nextTick(run);
  }

  /** Calls a function on a later turn of the event loop, behind its input. */
  later(run: () => void): void {
    this.#world.polled(run);
  }

  /** A number from 0 to below 1. It may be predictable. */
  random(): number {
    return this.#world.random();
  }

  /** 32 random bits that a peer cannot predict. */
  random32(): number {
    return this.#world.random32();
  }

  /** An assertion of zwire has failed. */
  bug(error: AssertionError): void {
    this.#world.bug(error);
  }

  /** Resolves on a later turn of the event loop. */
  nextTurn(): Promise<void> {
    this.#turn ??= new Promise((resolve) => {
      this.#world.polled(() => {
        this.#turn = null;
        resolve();
      });
    });
    return this.#turn;
  }

  /** A number that nothing else has got. */
  nextId(): number {
    return ++this.#lastId;
  }
}

/**
 * The runtime of this thread. Only what makes sockets, and what has none, may use it by this name; everything else uses
 * the one that it was handed.
 */
export const systemRuntime = new Runtime(system);
