/**
 * The ZAP client of one context (RFC 27): asks the handler that is bound to inproc://zeromq.zap.01, in this thread or
 * another, about peers. It is no socket: it counts towards no limit, keeps no process alive, and holds one inproc
 * connection, made when the first question comes and left when the handler goes. Lets nobody in by mistake: what it is
 * not told is a refusal.
 */

import type { EventType, SocketEvents } from "../../base/events.js";
import type { Message } from "../../base/message.js";
import type { Runtime } from "../../base/runtime.js";
import { Budget } from "../../engine/budget.js";
import type { Pipe } from "../../engine/pipe.js";
import { InprocConnector } from "../../inproc/connector.js";
import type { InprocRegistry } from "../../inproc/listener.js";
import type { OptionValues } from "../../options/options.js";
import { defaultOptions } from "../../options/values.js";
import type { SocketHost } from "../../session/host.js";
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
export function zapClient(registry: InprocRegistry, runtime: Runtime): Authenticator {
  let client = clients.get(registry);
  if (client === undefined) {
    client = new ZapClient(registry, runtime);
    clients.set(registry, client);
  }
  return client;
}

function unanswered(text: string): ProtocolError {
  return new ProtocolError("authentication-failed", text, { rule: "Q11, Q12", kind: "other" });
}

/** Asks as a DEALER, which both REP and ROUTER understand. */
class ZapClient implements Authenticator, SocketHost {
  readonly socketType = "DEALER";
  readonly raw = false;
  readonly asLibzmq = false;
  readonly closed = false;
  readonly refed = false;
  readonly runtime: Runtime;
  readonly options: OptionValues = defaultOptions();
  readonly received = new Budget(this.options);
  readonly unsent = new Budget(this.options);
  readonly #registry: InprocRegistry;
  #connector: InprocConnector | null = null;
  readonly #waiting = new Map<string, Waiting>();
  #lastId = 0;
  #lastPeerId = 0;
  /** Once there was a handler, its absence is a failure and no reason to let anybody in. */
  #seen = false;

  constructor(registry: InprocRegistry, runtime: Runtime) {
    this.runtime = runtime;
    this.#registry = registry;
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
      const taken = this.#connected().pipe.trySend(encodeRequest(id, request));
      if (!taken) waiting.reject(unanswered("the ZAP handler does not keep up with the questions"));
    });
  }

  #connected(): InprocConnector {
    if (this.#connector === null) {
      this.#connector = new InprocConnector(this, this.#registry, ZAP_ENDPOINT, null);
      this.#connector.start();
    }
    return this.#connector;
  }

  /** The handler is gone, or speaks no ZAP: nobody who waits for it gets in (Q12). */
  #fail(error: Error): void {
    const connector = this.#connector;
    this.#connector = null;
    void connector?.close(0);
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

  // From the connection

  pipeReadable(pipe: Pipe): void {
    for (let parts = pipe.read(); parts !== undefined; parts = pipe.read()) this.#reply(parts);
  }

  emitEvent<E extends EventType>(type: E, payload: SocketEvents[E]): void {
    if (type !== "disconnect" && !type.startsWith("handshake:error")) return;
    const { error } = payload as { error?: Error };
    const connector = this.#connector;
    // Not from inside the connector, which is about to put itself in order.
    this.runtime.nextTick(() => {
      if (connector === null || connector !== this.#connector) return;
      const text = type === "disconnect" ? "the ZAP handler has gone" : "the ZAP handler cannot be talked to";
      this.#fail(
        new ProtocolError("authentication-failed", text, { rule: "Q12", kind: "other", cause: error }),
      );
    });
  }

  nextPeerId(): number {
    return ++this.#lastPeerId;
  }

  refusalOf(): null {
    return null;
  }

  resumes(): boolean {
    return true;
  }

  attachPipe(): void {}
  detachPipe(): void {}
  pipeConnected(): void {}
  pipeDisconnected(): void {}
  pipeHeldBack(): void {}
  messageGivenUp(): void {}
  pipeWritable(): void {}
  pipeSubscription(): void {}
}
