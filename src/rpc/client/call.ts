/**
 * One call of a client, from the request to the last event of its answer: passes each event to the code that waits for it.
 * The owner handles sending, time and middleware.
 */

import { type NamedTable, rowOf } from "../../base/machine.js";
import type { Buffer } from "../../base/platform.js";
import type { Channel } from "../channel.js";
import type { Deadline } from "../deadlines.js";
import { LostRemote, MalformedAnswer } from "../errors.js";
import type { ClientRequest } from "../types.js";
import type { Id } from "../wire/id.js";
import type { Link } from "./link.js";

/** What a call needs from its client. */
export interface CallOwner {
  /** Tells the server that it may send so many more events. */
  grant(call: Call, count: number): void;
  /** The first answer has arrived, or the call has failed without one. */
  answered(call: Call): void;
  /** The call was given up before it was sent. */
  withdrawn(call: Call): void;
  /** A call that was sent is finished or cancelled. `abandoned`: the server does not know yet. */
  finished(call: Call, abandoned: boolean): void;
}

/**
 * - `waiting`: for a server, or for earlier calls
 * - `parked`: the first waiting call, handed to a socket that has no room yet
 * - `sent`: no answer yet
 * - `streaming`: the first item has arrived
 * - `done`: finished, but the reader of a stream has not been told how it ended
 * - `told`: finished, and the reader has been told
 */
export type CallState = "waiting" | "parked" | "sent" | "streaming" | "done" | "told";

/** `park`, `unpark`, `send`, `requeue`: its way to a server. `value`, `item`, `end`: what came. `fail`, `stop`: no more is wanted. `read`: behind the last item. */
type CallEvent = "park" | "unpark" | "send" | "requeue" | "value" | "item" | "end" | "fail" | "stop" | "read";

/** How a call began to be answered. */
export type Outcome =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "stream" }
  | { readonly kind: "error"; readonly error: unknown };

type Action =
  | "answer"
  | "begin stream"
  | "put item"
  | "refuse value"
  | "end"
  | "fail"
  | "fail unsent"
  | "stop unsent";

const TABLE: NamedTable<CallState, CallEvent, Action> = {
  waiting: {
    park: ["parked"],
    send: ["sent"],
    fail: ["done", "fail unsent"],
    stop: ["told", "stop unsent"],
  },
  parked: {
    unpark: ["waiting"],
    send: ["sent"],
    fail: ["done", "fail unsent"],
    stop: ["told", "stop unsent"],
  },
  sent: {
    requeue: ["waiting"],
    value: ["done", "answer"],
    item: ["streaming", "begin stream"],
    end: ["done", "end"],
    fail: ["done", "fail"],
    stop: ["told", "end"],
  },
  streaming: {
    value: ["done", "refuse value"],
    item: ["streaming", "put item"],
    end: ["done", "end"],
    fail: ["done", "fail"],
    stop: ["told", "end"],
  },
  done: {
    fail: ["done"],
    stop: ["told"],
    read: ["told"],
  },
  told: {
    fail: ["told"],
    stop: ["told"],
    read: ["told"],
  },
};

interface Reader {
  resolve(result: IteratorResult<unknown>): void;
  reject(error: unknown): void;
}

/** Shared by calls without items. It always stays empty. */
const NONE: unknown[] = [];
const DONE: IteratorResult<unknown> = Object.freeze({ value: undefined, done: true });
const STREAM: Outcome = Object.freeze({ kind: "stream" });

export class Call {
  readonly method: string;
  readonly id: Id;
  /** For OpenCalls. */
  number = -1;
  readonly payload: Buffer;
  readonly request: ClientRequest;
  link: Link | null = null;
  /** Epoch of its link when it was sent. */
  epoch = 0;
  channel: Channel | null = null;
  /** How often it may still be resent. */
  retries: number;
  /** Links whose servers have refused it. */
  refusedBy: Set<Link> | null = null;
  /** Ends the wait of a parked call. */
  wait: AbortController | null = null;
  /** Until the first answer. */
  deadline: Deadline | null = null;
  /** Undoes the abort listener. */
  cleanup: (() => void) | null = null;
  outcome: Outcome | null = null;
  readonly #owner: CallOwner;
  #state: CallState = "waiting";
  // Created when needed: most calls have one listener and no items.
  #listener: ((outcome: Outcome) => void) | null = null;
  #listeners: ((outcome: Outcome) => void)[] | null = null;
  #items: unknown[] = NONE;
  #readers: Reader[] = NONE as Reader[];
  /** Why there are no more items; null if the stream has ended. */
  #error: unknown = null;

  constructor(
    owner: CallOwner,
    fields: { id: Id; payload: Buffer; request: ClientRequest; retries: number },
  ) {
    this.#owner = owner;
    this.method = fields.request.method;
    this.id = fields.id;
    this.payload = fields.payload;
    this.request = fields.request;
    this.retries = fields.retries;
  }

  get state(): CallState {
    return this.#state;
  }

  /** The call is finished: nothing more arrives. */
  get isOver(): boolean {
    return this.#state === "done" || this.#state === "told";
  }

  /** Not yet accepted by a socket. */
  get isUnsent(): boolean {
    return this.#state === "waiting" || this.#state === "parked";
  }

  /**
   * @param given what the event brings: a value, an item or an error
   * @param abandoned whether the call is over and the server does not know it
   */
  #step(event: CallEvent, given: unknown, abandoned: boolean): void {
    const [next, action] = rowOf(TABLE, this.#state, event);
    this.#state = next;
    if (action !== undefined) this.#run(action, given, abandoned);
  }

  #run(action: Action, given: unknown, abandoned: boolean): void {
    switch (action) {
      case "answer":
        this.#answer({ kind: "value", value: given });
        this.#finish(false);
        return;
      case "begin stream":
        this.#answer(STREAM);
        if (!this.isOver) this.#put(given); // a hook may have cancelled the call
        return;
      case "put item":
        this.#put(given);
        return;
      case "refuse value": {
        const text = `${this.method} answered with a value after its stream`;
        this.#error = new MalformedAnswer(text, this.method);
        this.#finish(true);
        return;
      }
      case "end":
        if (this.outcome === null) this.#answer(STREAM);
        this.#finish(abandoned);
        return;
      case "fail":
        this.#error = given;
        if (this.outcome === null) this.#answer({ kind: "error", error: given });
        this.#finish(abandoned);
        return;
      case "fail unsent":
        this.#error = given;
        this.#answer({ kind: "error", error: given });
        this.#withdraw();
        return;
      case "stop unsent":
        this.#answer(STREAM);
        this.#withdraw();
    }
  }

  // Its way to a server

  /** A socket that has no room yet holds the call. `wait` takes it back. */
  park(wait: AbortController): void {
    this.#step("park", null, false);
    this.wait = wait;
  }

  /** The socket did not accept it. */
  unpark(): void {
    this.#step("unpark", null, false);
  }

  /** A link has taken it. */
  sent(link: Link, epoch: number, channel: Channel): void {
    this.#step("send", null, false);
    this.link = link;
    this.epoch = epoch;
    this.channel = channel;
  }

  /** It will be resent. */
  requeue(): void {
    this.#step("requeue", null, false);
  }

  /** A server has refused it; another may accept it. */
  refused(link: Link): void {
    this.refusedBy ??= new Set();
    this.refusedBy.add(link);
  }

  /** Calls back with the first answer, now or when it arrives. */
  whenAnswered(listener: (outcome: Outcome) => void): void {
    if (this.outcome !== null) listener(this.outcome);
    else if (this.#listener === null) this.#listener = listener;
    else {
      this.#listeners ??= [];
      this.#listeners.push(listener);
    }
  }

  // What came

  /** `OK`. */
  value(value: unknown): void {
    this.#step("value", value, false);
  }

  /** `STREAM`: one item. */
  item(value: unknown): void {
    if (this.#state === "streaming")
      this.#put(value); // as the table says, without a look into it for each item
    else this.#step("item", value, false);
  }

  /** `STREAM_DONE`. */
  done(): void {
    this.#step("end", null, false);
  }

  /** `ERR`, a lost server, a timeout, an abort. The reader gets items that have arrived first. */
  fail(error: unknown, abandoned: boolean): void {
    this.#step("fail", error, abandoned);
  }

  #put(item: unknown): void {
    const reader = this.#readers.shift();
    if (reader === undefined) {
      if (this.#items === NONE) this.#items = [];
      this.#items.push(item);
    } else {
      this.channel?.taken();
      reader.resolve({ value: item, done: false });
    }
  }

  #answer(outcome: Outcome): void {
    this.outcome = outcome;
    this.#owner.answered(this);
    this.#listener?.(outcome);
    if (this.#listeners !== null) for (const listener of this.#listeners) listener(outcome);
    this.#listener = null;
    this.#listeners = null;
  }

  #finish(abandoned: boolean): void {
    this.#owner.finished(this, abandoned);
    this.#tellReaders();
  }

  #withdraw(): void {
    this.wait?.abort();
    this.#owner.withdrawn(this);
    this.#tellReaders();
  }

  #tellReaders(): void {
    const readers = this.#readers;
    this.#readers = NONE as Reader[];
    for (const reader of readers) this.#last().then(reader.resolve, reader.reject);
  }

  /** What a reader gets after the last item: the error, once, or the end. */
  #last(): Promise<IteratorResult<unknown>> {
    const told = this.#state === "told";
    this.#step("read", null, false);
    if (told) return Promise.resolve(DONE);
    if (this.#error !== null) return Promise.reject(this.#error);
    // A server that does not support empty streams answers with a void result instead (T24).
    if (this.outcome?.kind !== "value" || this.outcome.value === null) return Promise.resolve(DONE);
    const text = `${this.method} answered with one value, not with a stream: await the call instead of iterating it`;
    return Promise.reject(new MalformedAnswer(text, this.method));
  }

  // What is wanted

  /** The next item of the stream. */
  next(): Promise<IteratorResult<unknown>> {
    if (!this.isOver) {
      // Before each receive, as Python (§5.1).
      const count = this.channel?.wanted() ?? 0;
      if (count > 0) this.#owner.grant(this, count);
    }
    if (this.#items.length > 0) {
      this.channel?.taken();
      return Promise.resolve({ value: this.#items.shift(), done: false });
    }
    if (this.isOver) return this.#last();
    if (this.#readers === NONE) this.#readers = [];
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }

  /** The reader has stopped: no grant and no heartbeat follows (T30). */
  stop(): void {
    this.#items = NONE;
    this.#step("stop", null, true);
  }

  /** Gives the call up, with a reason. */
  cancel(reason: unknown): void {
    this.fail(reason ?? new DOMException("The call was cancelled", "AbortError"), true);
  }

  /** The server is gone. */
  lost(why: string): void {
    this.fail(new LostRemote(`${this.method}: ${why}`, this.method), false);
  }
}
