/**
 * The ZAP client of one context (RFC 27): asks the handler that is bound to inproc://zeromq.zap.01, in this thread or
 * another, about peers. Its socket counts towards no limit and keeps no process alive: it is opened when the first
 * question comes, and closed when the handler goes. It lets nobody in by mistake: without an answer, a peer is refused.
 */

import type { Message, OutMessage } from "../../base/message.js";
import type { Runtime } from "../../base/runtime.js";
import type { InprocRegistry } from "../../inproc/registry.js";
import type { Verdict } from "../../wire/zmtp/mechanisms/authentication.js";
import { ProtocolError } from "../../wire/zmtp/protocol-error.js";
import type { AuthenticationRequest, Authenticator } from "../authenticator.js";
import { verdict } from "../callback.js";
import { encodeRequest, parseReply, replyId, ZAP_ENDPOINT, zapFault } from "./format.js";

interface Waiting {
  readonly resolve: (verdict: Verdict) => void;
  readonly reject: (error: Error) => void;
}

const clients = new WeakMap<InprocRegistry, ZapClient>();

/** The client of a context, by its names. */
export function zapClient(registry: InprocRegistry, runtime: Runtime, open: OpenAsking): Authenticator {
  let client = clients.get(registry);
  if (client === undefined) {
    client = new ZapClient(registry, runtime, open);
    clients.set(registry, client);
  }
  return client;
}

function unanswered(text: string): ProtocolError {
  return new ProtocolError("authentication-failed", text, { rule: "Q11, Q12", kind: "other" });
}

/** A socket that asks the handler. */
export interface Asking {
  /** Sends a question; false when the handler does not keep up. */
  ask(question: OutMessage): boolean;
  /** Ends it; nothing is told any more. */
  close(): void;
}

/**
 * Opens a DEALER, which both REP and ROUTER understand, and connects it.
 * @param reply is called with each message that comes
 * @param lost is called when the handler has gone or cannot be talked to, from within the socket
 */
export type OpenAsking = (
  endpoint: string,
  reply: (parts: Message) => void,
  lost: (text: string, cause: Error | undefined) => void,
) => Asking;

class ZapClient implements Authenticator {
  readonly #registry: InprocRegistry;
  readonly #runtime: Runtime;
  readonly #open: OpenAsking;
  #asking: Asking | null = null;
  readonly #waiting = new Map<string, Waiting>();
  #lastId = 0;
  /** Once there was a handler, its absence is a failure, and not a reason to let anybody in. */
  #seen = false;

  constructor(registry: InprocRegistry, runtime: Runtime, open: OpenAsking) {
    this.#registry = registry;
    this.#runtime = runtime;
    this.#open = open;
  }

  async authenticate(request: AuthenticationRequest, signal: AbortSignal): Promise<Verdict> {
    if (!(await this.#registry.isBound(ZAP_ENDPOINT))) {
      // P18: CURVE without domain and without handler asks for nothing but the server's key.
      const lenient = request.mechanism === "CURVE" && request.domain === "" && !this.#seen;
      if (lenient) return verdict(200, "no ZAP handler");
      throw unanswered(`no ZAP handler is bound to ${ZAP_ENDPOINT}`); // O8, Q11
    }
    signal.throwIfAborted();
    this.#seen = true;
    return this.#ask(request, signal);
  }

  #ask(request: AuthenticationRequest, signal: AbortSignal): Promise<Verdict> {
    const id = `${++this.#lastId}`; // Q5
    return new Promise((resolve, reject) => {
      const gone = (): void => {
        this.#waiting.delete(id);
        reject(signal.reason);
      };
      const settled = <T>(settle: (result: T) => void) => {
        return (result: T): void => {
          signal.removeEventListener("abort", gone);
          this.#waiting.delete(id);
          settle(result);
        };
      };
      signal.addEventListener("abort", gone, { once: true });
      const waiting = { resolve: settled(resolve), reject: settled(reject) };
      this.#waiting.set(id, waiting);
      // The high-water marks bound what strangers can pile up at a handler that does not read.
      const taken = this.#opened().ask(encodeRequest(id, request));
      if (!taken) waiting.reject(unanswered("the ZAP handler does not keep up with the questions"));
    });
  }

  #opened(): Asking {
    if (this.#asking !== null) return this.#asking;
    const asking = this.#open(
      ZAP_ENDPOINT,
      (parts) => this.#reply(parts),
      (text, cause) => {
        // Not from inside the socket, which is about to put itself in order.
        this.#runtime.nextTick(() => {
          if (asking !== this.#asking) return;
          const fault = { rule: "Q12", kind: "other", cause } as const;
          this.#fail(new ProtocolError("authentication-failed", text, fault));
        });
      },
    );
    this.#asking = asking;
    return asking;
  }

  /** The handler has gone, or does not speak ZAP: nobody who waits for it gets in (Q12). */
  #fail(error: Error): void {
    const asking = this.#asking;
    this.#asking = null;
    asking?.close();
    for (const { reject } of [...this.#waiting.values()]) reject(error);
  }

  #reply(parts: Message): void {
    let id: string;
    try {
      id = replyId(parts);
      if (!this.#waiting.has(id)) {
        if (this.#issued(id)) return; // its connection has gone meanwhile
        throw zapFault("zap-bad-request-id", "is for no request of ours");
      }
    } catch (error) {
      this.#fail(error as Error); // nobody knows whose it was
      return;
    }
    const { resolve, reject } = this.#waiting.get(id) as Waiting;
    try {
      resolve(parseReply(parts));
    } catch (error) {
      reject(error as Error);
    }
  }

  #issued(id: string): boolean {
    return /^[1-9]\d*$/.test(id) && Number(id) <= this.#lastId;
  }
}
