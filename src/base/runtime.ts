/**
 * What sockets need besides their transports: time, turns of the event loop and random numbers. A socket gets its runtime
 * from its context and passes it to everything that it creates. A thread has one. A test may supply its own, so that it
 * simulates time and can repeat a run exactly.
 */
import { Agenda } from "./agenda.js";
import type { AssertionError } from "./assert.js";
import { EventLoop, type LoopClock, systemClock } from "./deadline.js";
import { bugsAreThrown, nextTick, random, randomInt } from "./platform.js";
import { TurnEnd } from "./turn-end.js";

/** What a runtime is built on: the system, or a simulation. */
export interface World extends LoopClock {
  /** Calls a function when the current call stack is done, before any input or timer. */
  nextTick(run: () => void): void;
  /** A number from 0 to below 1. It may be predictable. */
  random(): number;
  /** 32 random bits that a peer cannot predict. */
  random32(): number;
  /** An assertion of zwire has failed, and its connection ends. In tests it throws, so that the test fails. */
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

/** Time, turns of the event loop and randomness, for any number of sockets of one thread. */
export class Runtime {
  readonly loop: EventLoop;
  /** The timeouts of all connections. */
  readonly agenda: Agenda;
  /** Tells objects that gather messages when the turn ends. */
  readonly turnEnd: TurnEnd;
  /** The promise that nextTurn() gives to all callers of this turn. */
  #turn: Promise<void> | null = null;
  #lastId = 0;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    this.loop = new EventLoop(world);
    this.agenda = new Agenda(this.loop);
    this.turnEnd = new TurnEnd((run) => world.nextTick(run));
  }

  /** Milliseconds of a monotonic clock. */
  now(): number {
    return this.#world.now();
  }

  /** Calls a function when the current call stack is done, before any input or timer. */
  nextTick(run: () => void): void {
    this.#world.nextTick(run);
  }

  /** Calls a function on a later turn of the event loop, after its input. */
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

  /** A number that is unique in this runtime. */
  nextId(): number {
    return ++this.#lastId;
  }
}

/**
 * The runtime of this thread. Only code that creates sockets, or that has no socket, may use it by this name. All other
 * code uses the runtime that was passed to it, so that tests can simulate it.
 */
export const systemRuntime = new Runtime(system);
