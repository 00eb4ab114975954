/** The side of a test that waits to be asked: any number of tests, one client at a time. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Message, Pair, Peer } from "../../index.js";
import type { Output } from "../command.js";
import type { Progress } from "../messages/progress.js";
import { decodeControl, encodeControl, type Hello } from "./control.js";
import { type Report, rates, Stretch } from "./report.js";
import { echoAll, OddMessage, receiveAll } from "./traffic.js";

/** How long the result of a test may take to reach its client. */
const FLUSH_MS = 5000;

export interface Serving {
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** A test was made. */
  report(report: Report): void;
}

/** Serves one client. */
class Server {
  readonly #socket: Pair;
  readonly #serving: Serving;
  readonly #left = new AbortController();
  readonly #signal: AbortSignal;
  #client: Peer | undefined;
  #last = "";

  constructor(socket: Pair, serving: Serving) {
    this.#socket = socket;
    this.#serving = serving;
    this.#signal = AbortSignal.any([serving.signal, this.#left.signal]);
    // A Pair has one peer at a time, the first. Others come and are sent away, which makes events, too.
    socket.on("handshake", ({ peer }) => {
      this.#client ??= peer;
    });
    socket.on("disconnect", ({ peer }) => {
      if (peer === this.#client) this.#left.abort();
    });
  }

  /** The next request for a test. */
  async next(): Promise<Hello> {
    for (;;) {
      const message = await this.#socket.receive({ timeout: -1, signal: this.#signal });
      const control = decodeControl(message);
      if (control?.say === "hello" && control.id !== this.#last) return control;
      if (control === undefined)
        await this.#sorry("this is zwire bench serve, and waits for a test to begin");
    }
  }

  async run({ test, size, count, warmup, id }: Hello): Promise<void> {
    this.#last = id;
    const { progress, report } = this.#serving;
    const socket = this.#socket;
    const signal = this.#signal;
    // It may have been said twice, if there were two connections.
    const again = (message: Message): boolean => {
      const control = decodeControl(message);
      return control?.say === "hello" && control.id === id;
    };
    const work =
      test === "throughput"
        ? (many: number) => receiveAll(socket, size, many, signal, progress, again)
        : (many: number) => echoAll(socket, size, many, signal, again);
    await socket.send(encodeControl({ say: "welcome", id }), { timeout: -1, signal });
    await work(warmup);
    const stretch = new Stretch();
    await work(count);
    const here = stretch.end().side();
    const { seconds } = stretch;
    await socket.send(encodeControl({ say: "result", seconds, side: here }), { timeout: -1, signal });
    const endpoint = this.#client?.address ?? "";
    const measured = test === "throughput" ? "receiver" : "echo";
    report({ test, measured, endpoint, size, count, ...rates(count, size, seconds), here });
  }

  /** Tells the client why it gets nothing. */
  async #sorry(why: string): Promise<void> {
    const sending = this.#socket.send(encodeControl({ say: "sorry", why }), { timeout: FLUSH_MS });
    await sending.catch(() => {}); // then it is not there any more
  }

  /** The client did what is no test. Waits for it to leave, for some time. */
  async refuse(error: OddMessage): Promise<void> {
    this.#serving.output.error(`zwire bench: ${error.message}\n`);
    await this.#sorry(error.message);
    await sleep(FLUSH_MS, undefined, { signal: this.#signal }).catch(() => {});
  }

  /** Whether the client of the last test has left. */
  get left(): boolean {
    return this.#left.signal.aborted;
  }
}

/**
 * Serves the tests of one client, until it leaves or there were so many.
 * @param open makes the socket, bound or connected
 * @returns how many there were
 */
export async function serveClient(
  open: () => Promise<Pair>,
  most: number,
  serving: Serving,
): Promise<number> {
  const socket = await open();
  const server = new Server(socket, serving);
  let tests = 0;
  try {
    for (; tests < most; tests++) await server.run(await server.next());
  } catch (error) {
    if (serving.signal.aborted) throw error;
    if (error instanceof OddMessage) await server.refuse(error);
    else if (!server.left) throw error;
  } finally {
    await socket.close({ linger: serving.signal.aborted ? 0 : FLUSH_MS });
  }
  return tests;
}
