/**
 * One call of a client, from the request to the last event of its answer. It decides what an event means for whoever
 * waits; sending, time and middleware are its owner's. Knows no sockets.
 */
import type { Buffer } from "../../base/platform.js";
import type { Channel } from "../channel.js";
import type { Deadline } from "../deadlines.js";
import { LostRemote, MalformedAnswer } from "../errors.js";
import type { ClientRequest } from "../types.js";
import type { Id } from "../wire/id.js";
import type { Link } from "./link.js";

/** What a call needs of its client. */
export interface CallOwner {
  /** Tell the server that it may send so many events more. */
  grant(call: Call, count: number): void;
  /** The first answer is here, or the call has failed without one. */
  answered(call: Call): void;
  /** Nothing more will come or is wanted. `abandoned`: the server does not know. */
  finished(call: Call, abandoned: boolean): void;
}

export type CallState = "waiting" | "sent" | "streaming" | "done";

/** How a call began to be answered. */
export type Outcome =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "stream" }
  | { readonly kind: "error"; readonly error: unknown };

interface Reader {
  resolve(result: IteratorResult<unknown>): void;
  reject(error: unknown): void;
}

/** Of a call that has none; nothing is ever put into it. */
const NONE: unknown[] = [];
const DONE: IteratorResult<unknown> = Object.freeze({ value: undefined, done: true });

export class Call {
  readonly method: string;
  readonly id: Id;
  /** For OpenCalls. */
  number = -1;
  readonly payload: Buffer;
  readonly request: ClientRequest;
  state: CallState = "waiting";
  link: Link | null = null;
  /** Of its link, when it was sent. */
  epoch = 0;
  channel: Channel | null = null;
  /** How often it may still be sent again. */
  retries: number;
  /** Links whose servers have refused it. */
  refusedBy: Set<Link> | null = null;
  /** Ends a wait for room; set while there is one. */
  parked: AbortController | null = null;
  /** Until the first answer. */
  deadline: Deadline | null = null;
  /** Undoes the abort listener. */
  cleanup: (() => void) | null = null;
  outcome: Outcome | null = null;
  readonly #owner: CallOwner;
  // Made when needed: most calls have one listener and no items.
  #listener: ((outcome: Outcome) => void) | null = null;
  #listeners: ((outcome: Outcome) => void)[] | null = null;
  #items: unknown[] = NONE;
  #readers: Reader[] = NONE as Reader[];
  /** How the stream ended, once it has; its error is told once. */
  #end: { error: unknown; told: boolean } | null = null;

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

  /** A server does not want it: another may. */
  refused(link: Link): void {
    this.refusedBy ??= new Set();
    this.refusedBy.add(link);
  }

  /** Call back with the first answer, now or when it comes. */
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
    if (this.state === "done") return;
    if (this.outcome !== null) {
      this.fail(
        new MalformedAnswer(`${this.method} answered with a value after its stream`, this.method),
        true,
      );
      return;
    }
    this.#answer({ kind: "value", value });
    this.#finish(null, false);
  }

  /** `STREAM`: one item. */
  item(value: unknown): void {
    if (this.state === "done") return;
    this.state = "streaming";
    if (this.outcome === null) this.#answer({ kind: "stream" });
    const reader = this.#readers.shift();
    if (reader === undefined) {
      if (this.#items === NONE) this.#items = [];
      this.#items.push(value);
    } else {
      this.channel?.taken();
      reader.resolve({ value, done: false });
    }
  }

  /** `STREAM_DONE`. */
  done(): void {
    if (this.state === "done") return;
    if (this.outcome === null) this.#answer({ kind: "stream" });
    this.#finish(null, false);
  }

  /** `ERR`, a lost server, a timeout, an abort. Items that have come are read first. */
  fail(error: unknown, abandoned: boolean): void {
    if (this.state === "done") return;
    if (this.outcome === null) this.#answer({ kind: "error", error });
    this.#finish(error, abandoned);
  }

  #answer(outcome: Outcome): void {
    this.outcome = outcome;
    this.#owner.answered(this);
    this.#listener?.(outcome);
    if (this.#listeners !== null) for (const listener of this.#listeners) listener(outcome);
    this.#listener = null;
    this.#listeners = null;
  }

  #finish(error: unknown, abandoned: boolean): void {
    if (this.#end !== null) return;
    this.#end = { error, told: false };
    const readers = this.#readers;
    this.#readers = NONE as Reader[];
    this.#owner.finished(this, abandoned);
    this.state = "done";
    for (const reader of readers) this.#last().then(reader.resolve, reader.reject);
  }

  /** What a reader gets when there are no more items: the error, once, or the end. */
  #last(): Promise<IteratorResult<unknown>> {
    const end = this.#end as { error: unknown; told: boolean };
    if (end.told) return Promise.resolve(DONE);
    end.told = true;
    if (end.error !== null) return Promise.reject(end.error);
    // A server that knows no empty streams answers one with a void result (T24).
    if (this.outcome?.kind !== "value" || this.outcome.value === null) return Promise.resolve(DONE);
    return Promise.reject(
      new MalformedAnswer(`${this.method} answered with one value and no stream: await it`, this.method),
    );
  }

  // What is wanted

  /** The next item of the stream. */
  next(): Promise<IteratorResult<unknown>> {
    if (this.#end === null) {
      // Before each receive, as Python (§5.1).
      const count = this.channel?.wanted() ?? 0;
      if (count > 0) this.#owner.grant(this, count);
    }
    if (this.#items.length > 0) {
      this.channel?.taken();
      return Promise.resolve({ value: this.#items.shift(), done: false });
    }
    if (this.#end === null) {
      if (this.#readers === NONE) this.#readers = [];
      return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    }
    return this.#last();
  }

  /** The reader wants no more: no grant and no heartbeat follows (T30). */
  stop(): void {
    this.#items = NONE;
    if (this.state === "done") {
      if (this.#end !== null) this.#end.told = true;
      return;
    }
    if (this.outcome === null) this.#answer({ kind: "stream" });
    this.#finish(null, true);
  }

  /** Give up, with a reason. */
  cancel(reason: unknown): void {
    this.fail(reason ?? new DOMException("The call was cancelled", "AbortError"), true);
  }

  /** The server is gone. */
  lost(why: string): void {
    this.fail(new LostRemote(`${this.method}: ${why}`, this.method), false);
  }
}
