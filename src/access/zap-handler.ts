/**
 * A ZAP handler (RFC 27): answers the questions of all sockets of a context by one `authenticate`. Each is answered when it is
 * decided, in any order.
 */
import { Router } from "../api/sockets/router.js";
import type { Message } from "../base/message.js";
import type { Context } from "../core/context.js";
import type { AuthenticationRequest } from "../security/authenticator.js";
import { type Authenticate, toVerdict, verdict } from "../security/callback.js";
import { encodeReply, parseRequest, ZAP_ENDPOINT } from "../security/zap/handler-format.js";
import type { Verdict } from "../wire/zmtp/mechanisms/authentication.js";

export class ZapHandler {
  readonly #socket: Router;
  readonly #authenticate: Authenticate;
  readonly #stopped = new AbortController();

  constructor(context: Context | undefined, authenticate: Authenticate) {
    this.#authenticate = authenticate;
    this.#socket = new Router({ linger: 0, ...(context && { context }) });
    this.#socket.on("message", (parts) => void this.#answer(parts));
  }

  get context(): Context {
    return this.#socket.context;
  }

  /** Rejects with ZmqError EADDRINUSE if the context has a handler. The process may end while it runs. */
  async start(): Promise<void> {
    await this.#socket.bind(ZAP_ENDPOINT);
    this.#socket.unref();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#socket.close();
  }

  async #answer([asker, ...frames]: Message): Promise<void> {
    const question = parseRequest(frames);
    if (question === undefined) return; // there is nobody to answer
    const { id, request } = question;
    const reply = request === undefined ? verdict(400, "malformed request") : await this.#decide(request);
    // One that does not read has given up by itself.
    if (!this.#socket.closed) this.#socket.trySend([asker, ...encodeReply(id, reply)]);
  }

  /** What goes wrong lets nobody in. */
  async #decide(request: AuthenticationRequest): Promise<Verdict> {
    try {
      return toVerdict(await this.#authenticate(request, this.#stopped.signal));
    } catch (error) {
      return verdict(500, `authenticate failed: ${(error as Error | undefined)?.message}`);
    }
  }
}
