/**
 * Names that the threads of a process share, for inproc: which thread has bound which, and how to reach it. Moves no
 * messages itself: a connection is a RingStream.
 *
 * Nothing here is shared but what is posted. Every thread that uses inproc has a BroadcastChannel; a post lies in the
 * queue of every other open channel when postMessage returns, and receiveMessageOnPort takes it without a turn of
 * the event loop. To bind, a thread posts a claim, whose state is a word in shared memory, and then reads its queue:
 * of two threads that claim at once, at least one sees the other's claim. Among claims that are pending the one of
 * the lowest thread wins.
 *
 * A thread whose channel is new does not know the names bound before, and asks. Whom it must wait for is written in a
 * table that the main thread hands down to all workers when zwire is loaded there first; a worker that has no such
 * table waits for SETTLE_MS before its first bind, and a name in a thread that is blocked for longer goes unseen.
 */
import * as workerThreads from "node:worker_threads";
import {
  BroadcastChannel,
  getEnvironmentData,
  isMainThread,
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  setEnvironmentData,
  type TransferListItem,
  threadId,
} from "node:worker_threads";
import { ZmqError } from "../base/errors.js";
import type { Stream } from "../transport/contract/transport.js";
import { createRing } from "./ring.js";
import { RingStream } from "./ring-stream.js";

/** Also the version of what is posted: another version of zwire in the process has names of its own. */
const CHANNEL = "zwire:inproc:1";
/**
 * First bind in a worker that cannot know who else is there: others have this time to tell their names. In steps,
 * because on a busy machine timers come late here as answers do there.
 */
const SETTLE_MS = 100;
const SETTLE_STEPS = 20;
/** Milliseconds that a thread has to answer a call; one that takes longer is alive, but blocked. */
const ANSWER_MS = 1000;
/** Milliseconds between two looks at a claim that goes before ours. */
const CONTEST_MS = 5;
/** Names known of other threads from which on those of dead threads are looked for; it doubles with what stays. */
const SWEEP_NAMES = 256;
/** Threads that the table has room for. Without room, a thread counts as unknown. */
const TABLE_THREADS = 255;

/** pending → bound → released; pending → lost (another claim won); pending → released. */
const ClaimState = { pending: 0, bound: 1, lost: 2, released: 3 } as const;

/** A thread's claim to a name. */
export interface Claim {
  readonly id: string;
  readonly endpoint: string;
  readonly thread: number;
  /** Which copy of zwire in the thread. */
  readonly owner: string;
  /** One word in shared memory. */
  readonly state: Int32Array;
}

interface Post {
  readonly kind: "claims" | "hello";
  readonly claims: readonly Claim[];
}

/** What one thread sends to another alone. */
interface Call {
  readonly channel: string;
  readonly kind: "hello" | "dial";
  readonly owner?: string;
  readonly endpoint?: string;
  readonly memory?: SharedArrayBuffer;
  readonly port?: MessagePort;
}

/** What the directory tells those who have the names. */
export interface ThreadNamesHandler {
  /** Another thread has connected to a name of ours. */
  onStream(endpoint: string, stream: Stream): void;
  /** A name is bound in another thread. */
  onBound(endpoint: string): void;
}

type PostMessageToThread = (
  thread: number,
  value: unknown,
  transfer?: TransferListItem[],
  timeout?: number,
) => Promise<void>;

/** Not in the types of Node 20. Absent in Bun and Deno, where inproc stays within the thread. */
const postMessageToThread = (workerThreads as { postMessageToThread?: PostMessageToThread })
  .postMessageToThread;

/** Threads that have a channel, by number + 1; word 0 is set when there was no room. */
function threadTable(): Int32Array | undefined {
  const given = getEnvironmentData(CHANNEL);
  if (given instanceof Int32Array) return given;
  if (!isMainThread) return undefined;
  const table = new Int32Array(new SharedArrayBuffer((1 + TABLE_THREADS) * 4));
  setEnvironmentData(CHANNEL, table as never);
  return table;
}

/** This runtime's channels cannot be read without a turn of the event loop: names stay in their thread. */
let unreadable = false;

/** The names of one context, as one thread sees them. */
export class ThreadNames {
  readonly #handler: ThreadNamesHandler;
  readonly #table = threadTable();
  readonly #owner = `${threadId}.${Math.random().toString(36).slice(2)}`;
  #channel: BroadcastChannel | null = null;
  #claims = 0;
  readonly #own = new Map<string, Claim>();
  /** Claims of other threads; those released stay until their name is looked up. */
  readonly #known = new Map<string, Claim[]>();
  #sweepAt = SWEEP_NAMES;
  /** Until the threads that were there first have told their names. */
  #settling: Promise<void> | null = null;
  #holds = 0;

  constructor(handler: ThreadNamesHandler) {
    this.#handler = handler;
  }

  // The channel

  /** Nothing is open until a thread first binds or connects an inproc name. */
  #open(): BroadcastChannel | null {
    if (this.#channel !== null || postMessageToThread === undefined || unreadable) return this.#channel;
    const channel = new BroadcastChannel(CHANNEL);
    let first: ReturnType<typeof receiveMessageOnPort>;
    try {
      first = receiveMessageOnPort(channel as unknown as MessagePort);
    } catch {
      unreadable = true; // Deno's takes no BroadcastChannel
      channel.close();
      return null;
    }
    this.#channel = channel;
    if (first !== undefined) this.#posted(first.message as Post);
    channel.onmessage = ({ data }) => this.#posted(data as Post);
    channel.unref();
    process.on("workerMessage" as never, (call: Call) => this.#called(call));
    this.#post({ kind: "hello", claims: [] });
    this.#settling = this.#settle();
    return channel;
  }

  #post(post: Post): void {
    this.#channel?.postMessage(post);
  }

  /** Takes what other threads have posted until now. */
  #drain(): void {
    const channel = this.#channel as BroadcastChannel;
    for (;;) {
      const received = receiveMessageOnPort(channel as unknown as MessagePort);
      if (received === undefined) return;
      this.#posted(received.message as Post);
    }
  }

  #posted({ kind, claims }: Post): void {
    if (kind === "hello") this.#answer();
    for (const claim of claims) this.#note(claim);
  }

  #answer(): void {
    if (this.#own.size > 0) this.#post({ kind: "claims", claims: [...this.#own.values()] });
  }

  #note(claim: Claim): void {
    const claims = this.#rivals(claim.endpoint);
    if (!claims.some((one) => one.id === claim.id)) claims.push(claim);
    this.#known.set(claim.endpoint, claims);
    if (this.#known.size >= this.#sweepAt) void this.#sweep();
    if (Atomics.load(claim.state, 0) !== ClaimState.bound) return;
    // Not from inside a bind() that reads the queue: what follows calls the application's event listeners.
    process.nextTick(() => this.#handler.onBound(claim.endpoint));
  }

  /** Other threads' claims to a name, those that still count. */
  #rivals(endpoint: string): Claim[] {
    const claims = (this.#known.get(endpoint) ?? []).filter(
      ({ state }) => Atomics.load(state, 0) <= ClaimState.bound,
    );
    if (claims.length === 0) this.#known.delete(endpoint);
    return claims;
  }

  /** Forgets the names of threads that have ended: in a process where workers come and go they would add up. */
  async #sweep(): Promise<void> {
    this.#sweepAt = Number.POSITIVE_INFINITY;
    const dead = new Map<number, boolean>();
    for (const endpoint of [...this.#known.keys()]) {
      for (const { thread, state } of this.#rivals(endpoint)) {
        if (!dead.has(thread)) dead.set(thread, !(await this.#alive(thread)));
        if (dead.get(thread)) Atomics.store(state, 0, ClaimState.released);
      }
      this.#rivals(endpoint);
    }
    this.#sweepAt = Math.max(SWEEP_NAMES, 2 * this.#known.size);
  }

  // Calls from thread to thread

  #called(call: Call): void {
    if (call?.channel !== CHANNEL) return; // the application's own message
    if (call.kind === "hello") {
      this.#answer();
      return;
    }
    const { owner, endpoint, memory, port } = call as Required<Call>;
    if (owner !== this.#owner) return; // another copy of zwire in this thread
    const stream = new RingStream(memory, port, 1, endpoint);
    // Node.js swallows what is thrown in here, and an event listener of the application may throw.
    process.nextTick(() => this.#handler.onStream(endpoint, stream));
  }

  #call(thread: number, call: Omit<Call, "channel">, transfer: TransferListItem[] = []): Promise<void> {
    const post = postMessageToThread as PostMessageToThread;
    return post(thread, { channel: CHANNEL, ...call }, transfer, ANSWER_MS);
  }

  /** Whether a thread exists; if it does and is not blocked, its names are known afterwards. */
  async #alive(thread: number): Promise<boolean> {
    if (thread === threadId) return true;
    try {
      await this.#call(thread, { kind: "hello" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ERR_WORKER_MESSAGING_FAILED") return false;
    }
    this.#drain();
    return true;
  }

  /** Enters ourselves in the table, and hears those who are in it. Null when there is nobody. */
  #settle(): Promise<void> | null {
    const table = this.#table;
    if (table === undefined || !enter(table)) return this.#listen();
    const others: Promise<unknown>[] = [];
    for (let i = 1; i < table.length; i++) {
      const word = Atomics.load(table, i);
      if (word === 0 || word === threadId + 1) continue;
      const heard = this.#alive(word - 1).then((alive) => {
        if (!alive) Atomics.compareExchange(table, i, word, 0);
      });
      others.push(heard);
    }
    return others.length === 0 ? null : Promise.all(others).then(() => undefined);
  }

  async #listen(): Promise<void> {
    for (let step = 0; step < SETTLE_STEPS; step++) {
      await new Promise<void>((resolve) => {
        setTimeout(resolve, SETTLE_MS / SETTLE_STEPS).unref();
      });
    }
  }

  // Binding

  /**
   * Claims a name among all threads; at once where no other thread can have it.
   * @throws ZmqError EADDRINUSE, also by rejecting
   */
  claim(endpoint: string): Promise<void> | undefined {
    if (this.#open() === null) return undefined;
    const claim: Claim = {
      id: `${this.#owner}.${++this.#claims}`,
      endpoint,
      thread: threadId,
      owner: this.#owner,
      state: new Int32Array(new SharedArrayBuffer(4)),
    };
    this.#own.set(endpoint, claim);
    this.#post({ kind: "claims", claims: [claim] });
    this.#drain();
    if (this.#settling === null && this.#rivals(endpoint).length === 0 && this.#win(claim)) return undefined;
    return this.#contest(claim);
  }

  #win(claim: Claim): boolean {
    if (Atomics.compareExchange(claim.state, 0, ClaimState.pending, ClaimState.bound) !== ClaimState.pending)
      return false;
    this.#post({ kind: "claims", claims: [claim] });
    return true;
  }

  async #contest(claim: Claim): Promise<void> {
    this.#hold(1);
    try {
      await this.#settling;
      this.#settling = null;
      this.#drain();
      for (let rivals = this.#rivals(claim.endpoint); rivals.length > 0; ) {
        if (!(await this.#prevails(claim, rivals[0]))) break;
        rivals = this.#rivals(claim.endpoint);
      }
      if (this.#rivals(claim.endpoint).length === 0 && this.#win(claim)) return;
    } finally {
      this.#hold(-1);
    }
    this.release(claim.endpoint);
    throw new ZmqError("EADDRINUSE", { address: claim.endpoint, detail: "bound in another thread" });
  }

  /** Whether a claim stands against one rival; when it returns true, the rival may have to be looked at again. */
  async #prevails(claim: Claim, rival: Claim): Promise<boolean> {
    if (!(await this.#alive(rival.thread))) {
      Atomics.store(rival.state, 0, ClaimState.released);
      return true;
    }
    if (Atomics.load(claim.state, 0) !== ClaimState.pending) return false;
    const state = Atomics.load(rival.state, 0);
    if (state !== ClaimState.pending) return state !== ClaimState.bound;
    if (precedes(claim, rival)) {
      Atomics.compareExchange(rival.state, 0, ClaimState.pending, ClaimState.lost);
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, CONTEST_MS));
    return true;
  }

  /** The name is free again. */
  release(endpoint: string): void {
    const claim = this.#own.get(endpoint);
    if (claim === undefined) return;
    this.#own.delete(endpoint);
    Atomics.store(claim.state, 0, ClaimState.released);
  }

  // Connecting

  /**
   * A stream to the thread that has the name bound; undefined when none is known to, and then onBound() follows when
   * one does. The stream closes when the thread turns out to be gone.
   */
  connect(endpoint: string): Stream | undefined {
    if (this.#open() === null) return undefined;
    const claim = this.#rivals(endpoint).find(({ state }) => Atomics.load(state, 0) === ClaimState.bound);
    if (claim === undefined || claim.thread === threadId) return undefined;
    const memory = createRing();
    const { port1, port2 } = new MessageChannel();
    const stream = new RingStream(memory, port1, 0, endpoint);
    const { owner, thread } = claim;
    this.#call(thread, { kind: "dial", owner, endpoint, memory, port: port2 }, [port2]).catch((error) => {
      if (error.code === "ERR_WORKER_MESSAGING_TIMEOUT") return; // blocked: it takes the call later
      if (error.code === "ERR_WORKER_MESSAGING_FAILED") Atomics.store(claim.state, 0, ClaimState.released);
      port1.close();
    });
    return stream;
  }

  /** Whether a thread has the name bound; asks those that were there before us. */
  async isBound(endpoint: string): Promise<boolean> {
    if (this.#open() === null) return false;
    await this.#settling;
    this.#settling = null;
    this.#drain();
    return this.#rivals(endpoint).some(({ state }) => Atomics.load(state, 0) === ClaimState.bound);
  }

  // Staying alive

  /** Keeps the thread alive for one who waits for other threads; undone by letGo(). The main thread needs none: its
   * workers keep it alive, and without them nobody can come. */
  hold(): void {
    if (!isMainThread) this.#hold(1);
  }

  /** Undoes one hold(). */
  letGo(): void {
    if (!isMainThread) this.#hold(-1);
  }

  #hold(change: 1 | -1): void {
    const channel = this.#open() as (BroadcastChannel & { ref(): void; unref(): void }) | null;
    const before = this.#holds;
    this.#holds += change;
    if (before === 0) channel?.ref();
    else if (this.#holds === 0) channel?.unref();
  }
}

/** Which of two pending claims wins: the lower thread's; two copies of zwire in one thread have different ids. */
function precedes(one: Claim, other: Claim): boolean {
  return one.thread === other.thread ? one.id < other.id : one.thread < other.thread;
}

/** Writes this thread into the table; false when there is, or once was, no room for all. */
function enter(table: Int32Array): boolean {
  for (let i = 1; i < table.length; i++) {
    const word = Atomics.compareExchange(table, i, 0, threadId + 1);
    if (word === 0 || word === threadId + 1) return Atomics.load(table, 0) === 0;
  }
  Atomics.store(table, 0, 1);
  return false;
}
