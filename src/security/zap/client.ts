/**
 * The ZAP client of one context (RFC 27): it asks the handler that is bound to inproc://zeromq.zap.01, in this thread
 * or another one, about peers. Its socket does not count towards any limit and does not keep the process alive. The
 * socket is opened for the first question, and closed when the handler goes. A peer is refused if there is no answer.
 */

import type { Message, OutMessage } from "../../base/message.js";
import type { Runtime } from "../../base/runtime.js";
import type { InprocRegistry } from "../../inproc/registry.js";
import type { Verdict } from "../../wire/zmtp/mechanisms/authentication.js";
import { ProtocolError } from "../../wire/zmtp/protocol-error.js";
import type { AuthenticationRequest, Authenticator } from "../authenticator.js";
import { verdict } from "../callback.js";
import { encodeRequest, parseReply, replyId, ZAP_ENDPOINT, zapFault } from "./format.js";

/** A question without an answer yet. */
interface Waiting {
  readonly resolve: (verdict: Verdict) => void;
  readonly reject: (error: Error) => void;
}

const clients = new WeakMap<InprocRegistry, ZapClient>();

/** The client of a context; one per registry of names. */
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

/** The socket that asks the handler. */
export interface Asking {
  /** Sends a question. False if the handler reads too slowly, so that a high-water mark is reached. */
  ask(question: OutMessage): boolean;
  /** Closes it. `reply` and `lost` are not called any more. */
  close(): void;
}

/**
 * Opens a DEALER, which a REP or a ROUTER can answer, and connects it.
 * @param reply is called with each message that arrives
 * @param lost is called from within the socket when the handler has gone, or when the connection fails
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
  /** Whether there has been a handler. From then on, a missing handler is a failure, and peers are refused. */
  #seen = false;

  constructor(registry: InprocRegistry, runtime: Runtime, open: OpenAsking) {
    this.#registry = registry;
    this.#runtime = runtime;
    this.#open = open;
  }

  async authenticate(request: AuthenticationRequest, signal: AbortSignal): Promise<Verdict> {
    if (!(await this.#registry.isBound(ZAP_ENDPOINT))) {
      // P18: CURVE without a domain and without a handler lets in every client that has the server's key.
      const lenient = request.mechanism === "CURVE" && request.domain === "" && !this.#seen;
      if (lenient) return verdict(200, "no ZAP handler");
      throw unanswered(
        `no ZAP handler is bound to ${ZAP_ENDPOINT}: bind a Reply socket there, or set authenticate`,
      ); // O8, Q11
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
      // The high-water marks limit the questions that unknown peers can cause if the handler does not read them.
      const taken = this.#opened().ask(encodeRequest(id, request));
      if (!taken)
        waiting.reject(unanswered("the ZAP handler answers too slowly: its queue of questions is full"));
    });
  }

  #opened(): Asking {
    if (this.#asking !== null) return this.#asking;
    const asking = this.#open(
      ZAP_ENDPOINT,
      (parts) => this.#reply(parts),
      (text, cause) => {
        // Deferred, because the socket calls this in the middle of its own work.
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

  /** The handler has gone, or does not speak ZAP. All peers that wait for its answer are refused (Q12). */
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
        if (this.#issued(id)) return; // the peer's connection has gone meanwhile
        throw zapFault("zap-bad-request-id", "has a request id that we did not send");
      }
    } catch (error) {
      this.#fail(error as Error); // it is not known which question it answers, so all fail
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
