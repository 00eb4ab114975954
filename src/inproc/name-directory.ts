/**
 * The inproc names that the threads of a process share: which thread has bound which name, and how to reach it. A
 * connection to another thread is a RingStream; no message passes through here.
 *
 * Every thread that uses inproc has a BroadcastChannel. When postMessage returns, the post is in the queue of every
 * other open channel, and receiveMessageOnPort reads it without a turn of the event loop. To bind, a thread posts a
 * claim and then reads its own queue. If two threads claim a name at the same time, at least one of them sees the
 * other's claim. Of two pending claims, that of the lower thread wins.
 *
 * A thread that has just opened its channel does not know the names that were bound before. So it asks the threads in
 * the ThreadTable for them. A worker without a table waits for SETTLE_MS before its first bind. It does not learn a
 * name whose thread is blocked for longer than that.
 */
import * as workerThreads from "node:worker_threads";
import {
  BroadcastChannel,
  isMainThread,
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  type TransferListItem,
  threadId,
} from "node:worker_threads";
import { ZmqError } from "../base/errors.js";
import type { Stream } from "../transport/contract/transport.js";
import { type Claim, ClaimState, precedes, release, settle, stateOf } from "./claim.js";
import { createRing } from "./ring.js";
import { RingStream } from "./ring-stream.js";
import { ThreadTable } from "./thread-table.js";

/**
 * The number is the version of the posts. A version of zwire with another number does not share names with this one.
 */
const CHANNEL = "zwire:inproc:1";
/**
 * How many milliseconds a worker without a table waits for the names of other threads before its first bind. It waits
 * in steps, because on a busy machine, where answers are late, each timer is late, too.
 */
const SETTLE_MS = 100;
const SETTLE_STEPS = 20;
/** Milliseconds that a thread has to answer a call. A thread that takes longer counts as alive but blocked. */
const ANSWER_MS = 1000;
/** Milliseconds between two checks of a rival claim that will win unless its thread ends. */
const CONTEST_MS = 5;
/**
 * With this many known names, those of ended threads are removed. The limit then becomes twice the number that is left.
 */
const SWEEP_NAMES = 256;

/** What is posted to all threads. */
interface Post {
  readonly kind: "claims" | "hello";
  readonly claims: readonly Claim[];
}

/** What one thread sends to a single other thread. */
interface Call {
  readonly channel: string;
  readonly kind: "hello" | "dial";
  readonly owner?: string;
  readonly endpoint?: string;
  readonly memory?: SharedArrayBuffer;
  readonly port?: MessagePort;
}

/** What the directory tells the registry of its thread. */
export interface NameDirectoryHandler {
  /** Another thread has connected to a name that this thread has bound. */
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

/** Not in the types of Node 20. Bun and Deno do not have it, so inproc connects only within a thread there. */
const postMessageToThread = (workerThreads as { postMessageToThread?: PostMessageToThread })
  .postMessageToThread;

/**
 * Whether this runtime cannot read a channel without a turn of the event loop. If so, names are not shared between
 * threads.
 */
let unreadable = false;

/** The names of one context, as one thread sees them. */
export class NameDirectory {
  readonly #handler: NameDirectoryHandler;
  readonly #table = ThreadTable.find(CHANNEL);
  readonly #owner = `${threadId}.${Math.random().toString(36).slice(2)}`;
  #channel: BroadcastChannel | null = null;
  #claims = 0;
  readonly #own = new Map<string, Claim>();
  /** Claims of other threads. A released claim stays here until its name is looked up. */
  readonly #known = new Map<string, Claim[]>();
  #sweepAt = SWEEP_NAMES;
  /** Pending until the threads that were there before have told their names; null if there is nothing to wait for. */
  #settling: Promise<void> | null = null;
  #holds = 0;

  constructor(handler: NameDirectoryHandler) {
    this.#handler = handler;
  }

  // The channel

  /**
   * Opens the channel when the thread first binds or connects. Returns null if names are not shared between threads.
   */
  #open(): BroadcastChannel | null {
    if (this.#channel !== null || postMessageToThread === undefined || unreadable) return this.#channel;
    const channel = new BroadcastChannel(CHANNEL);
    let first: ReturnType<typeof receiveMessageOnPort>;
    try {
      first = receiveMessageOnPort(channel as unknown as MessagePort);
    } catch {
      unreadable = true; // Deno's receiveMessageOnPort takes no BroadcastChannel
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

  /** Reads what other threads have posted so far. */
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
    if (stateOf(claim) !== ClaimState.bound) return;
    // Deferred, because a bind() may be reading the queue, and onBound calls event listeners of the application.
    process.nextTick(() => this.#handler.onBound(claim.endpoint));
  }

  /** The claims of other threads to a name that are pending or bound. */
  #rivals(endpoint: string): Claim[] {
    const claims = (this.#known.get(endpoint) ?? []).filter((claim) => stateOf(claim) <= ClaimState.bound);
    if (claims.length === 0) this.#known.delete(endpoint);
    return claims;
  }

  /**
   * Forgets the names of threads that have ended. Otherwise they would accumulate in a process that starts many
   * workers.
   */
  async #sweep(): Promise<void> {
    this.#sweepAt = Number.POSITIVE_INFINITY;
    const dead = new Map<number, boolean>();
    for (const endpoint of [...this.#known.keys()]) {
      for (const claim of this.#rivals(endpoint)) {
        const { thread } = claim;
        if (!dead.has(thread)) dead.set(thread, !(await this.#alive(thread)));
        if (dead.get(thread)) release(claim);
      }
      this.#rivals(endpoint);
    }
    this.#sweepAt = Math.max(SWEEP_NAMES, 2 * this.#known.size);
  }

  // Calls from thread to thread

  #called(call: Call): void {
    if (call?.channel !== CHANNEL) return; // a message of the application
    if (call.kind === "hello") {
      this.#answer();
      return;
    }
    const { owner, endpoint, memory, port } = call as Required<Call>;
    if (owner !== this.#owner) return; // for another copy of zwire in this thread
    const stream = new RingStream(memory, port, 1, endpoint);
    // Deferred, because Node.js swallows exceptions here, and an event listener of the application may throw one.
    process.nextTick(() => this.#handler.onStream(endpoint, stream));
  }

  #call(thread: number, call: Omit<Call, "channel">, transfer: TransferListItem[] = []): Promise<void> {
    const post = postMessageToThread as PostMessageToThread;
    return post(thread, { channel: CHANNEL, ...call }, transfer, ANSWER_MS);
  }

  /** Whether a thread exists. If it does and is not blocked, its names are known when this resolves. */
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

  /** Enters this thread in the table, and asks the threads in it for their names. Null if there are none. */
  #settle(): Promise<void> | null {
    const table = this.#table;
    if (table?.enter() !== true) return this.#listen();
    const others = table.others();
    if (others.length === 0) return null;
    const asked = others.map(async (thread) => {
      if (!(await this.#alive(thread))) table.remove(thread);
    });
    return Promise.all(asked).then(() => undefined);
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
   * Claims a name among all threads. Returns undefined if that is done at once, because no other thread can have it.
   * @throws ZmqError EADDRINUSE, as a rejection
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
    if (!settle(claim, ClaimState.bound)) return false;
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
    throw new ZmqError("EADDRINUSE", {
      address: claim.endpoint,
      detail: "another thread of this process has bound it",
    });
  }

  /** Whether a claim may still win against one rival. If so, the caller checks the rivals again. */
  async #prevails(claim: Claim, rival: Claim): Promise<boolean> {
    if (!(await this.#alive(rival.thread))) {
      release(rival);
      return true;
    }
    if (stateOf(claim) !== ClaimState.pending) return false;
    const state = stateOf(rival);
    if (state !== ClaimState.pending) return state !== ClaimState.bound;
    if (precedes(claim, rival)) {
      settle(rival, ClaimState.lost);
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, CONTEST_MS));
    return true;
  }

  /** Frees a name of this thread. */
  release(endpoint: string): void {
    const claim = this.#own.get(endpoint);
    if (claim === undefined) return;
    this.#own.delete(endpoint);
    release(claim);
  }

  // Connecting

  /**
   * A stream to the thread that has bound the name. Undefined if no such thread is known; then onBound() follows when a
   * thread binds it. The stream closes if that thread has ended.
   */
  connect(endpoint: string): Stream | undefined {
    if (this.#open() === null) return undefined;
    const claim = this.#rivals(endpoint).find((one) => stateOf(one) === ClaimState.bound);
    if (claim === undefined || claim.thread === threadId) return undefined;
    const memory = createRing();
    const { port1, port2 } = new MessageChannel();
    const stream = new RingStream(memory, port1, 0, endpoint);
    const { owner, thread } = claim;
    this.#call(thread, { kind: "dial", owner, endpoint, memory, port: port2 }, [port2]).catch((error) => {
      if (error.code === "ERR_WORKER_MESSAGING_TIMEOUT") return; // the thread is blocked, and reads the call later
      if (error.code === "ERR_WORKER_MESSAGING_FAILED") release(claim);
      port1.close();
    });
    return stream;
  }

  /** Whether another thread has bound the name. Waits for the names of threads that were there before. */
  async isBound(endpoint: string): Promise<boolean> {
    if (this.#open() === null) return false;
    await this.#settling;
    this.#settling = null;
    this.#drain();
    return this.#rivals(endpoint).some((claim) => stateOf(claim) === ClaimState.bound);
  }

  // Staying alive

  /**
   * Keeps the thread alive while an endpoint waits for other threads, until letGo(). Does nothing in the main thread:
   * workers keep it alive, and without workers no other thread can connect.
   */
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
