/** The registry is open: a scheme that zwire does not have is one object, and sockets then bind and connect it. */
import { describe, expect, it } from "vitest";
import { ZmqError } from "../../src/base/errors.js";
import { FrameDecoder } from "../../src/engine/incoming/decoder.js";
import { Pull, Push, Reply, Request, Stream as StreamSocket } from "../../src/index.js";
import type {
  Acceptor,
  AcceptorHandler,
  FrameFault,
  FrameLimits,
  Stream,
  StreamHandler,
  Transport,
  TransportOptions,
} from "../../src/transport/contract/transport.js";
import { registerTransport } from "../../src/transport/registry.js";
import { managed, texts } from "../support/helpers.js";

/** One end of a connection that exists in memory only. What is written arrives on a later turn, copied. */
class TubeStream implements Stream {
  readonly engine = "portable";
  readonly localAddress: string;
  readonly remoteAddress: string;
  received = 0;
  readonly unsent = 0;
  readonly untaken = 0;
  other: TubeStream | null = null;
  #handler: StreamHandler | null = null;
  #decoder: FrameDecoder | null = null;
  #paused = false;
  readonly #arrived: Buffer[] = [];
  #ended = false;

  constructor(address: string) {
    this.localAddress = address;
    this.remoteAddress = address;
  }

  get partial(): boolean {
    return this.#decoder?.partial === true;
  }

  start(handler: StreamHandler): void {
    this.#handler = handler;
    this.#later();
  }

  startFrames(limits: FrameLimits, leftover: Uint8Array): void {
    this.#decoder = new FrameDecoder(limits, {
      onFrames: (chunk, table, count) => this.#handler?.onFrames(chunk, table, count),
      onLargeFrame: (body, flags) => this.#handler?.onLargeFrame(body, flags),
    });
    if (leftover.length > 0) this.#take(Buffer.from(leftover));
  }

  write(segments: readonly Uint8Array[]): number {
    this.other?.arrive(Buffer.concat(segments));
    return 0;
  }

  arrive(chunk: Buffer): void {
    this.#arrived.push(chunk);
    this.#later();
  }

  end(): void {
    this.other = null;
    this.#ended = true;
    this.#later();
  }

  #later(): void {
    setImmediate(() => this.#deliver());
  }

  #deliver(): void {
    while (!this.#paused && this.#handler !== null) {
      const chunk = this.#arrived.shift();
      if (chunk === undefined) break;
      this.received += chunk.length;
      this.#take(chunk);
    }
    if (this.#ended && this.#arrived.length === 0) this.#close(0, 0);
  }

  #take(chunk: Buffer): void {
    if (this.#decoder === null) this.#handler?.onBytes(chunk);
    else {
      const fault = this.#decoder.push(chunk);
      if (fault !== 0) this.#close(fault, this.#decoder.faultSize);
    }
  }

  #close(fault: FrameFault, octets: number): void {
    const handler = this.#handler;
    this.close();
    handler?.onClose(undefined, fault, 0, octets);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#later();
  }

  close(): void {
    this.#handler = null;
    this.other?.end();
    this.other = null;
  }

  ref(): void {}
  unref(): void {}
}

/** The scheme `tube`: names of letters; `tube://?` is bound to a name that is free. */
class TubeTransport implements Transport {
  readonly #bound = new Map<string, AcceptorHandler>();
  #names = 0;

  checkBind(address: string, _options: TransportOptions): void {
    if (!this.isWildcard(address)) this.checkConnect(address, _options);
  }

  checkConnect(address: string, _options: TransportOptions): void {
    if (!/^[a-z]+\d*$/.test(address)) throw new ZmqError("EINVAL", { detail: `"${address}" is no tube` });
  }

  isWildcard(address: string): boolean {
    return address === "?";
  }

  listenSync(asked: string, _options: TransportOptions, handler: AcceptorHandler): Acceptor {
    const name = this.isWildcard(asked) ? `tube${this.#names++}` : asked;
    if (this.#bound.has(name)) throw new ZmqError("EADDRINUSE");
    this.#bound.set(name, handler);
    return {
      address: `tube://${name}`,
      close: async () => void this.#bound.delete(name),
      ref() {},
      unref() {},
    };
  }

  async listen(address: string, options: TransportOptions, handler: AcceptorHandler): Promise<Acceptor> {
    return this.listenSync(address, options, handler);
  }

  async connect(address: string): Promise<Stream> {
    const handler = this.#bound.get(address);
    if (handler === undefined) throw new ZmqError("ECONNREFUSED");
    const [ours, theirs] = [new TubeStream(`tube://${address}`), new TubeStream(`tube://${address}`)];
    ours.other = theirs;
    theirs.other = ours;
    setImmediate(() => handler.onStream(theirs));
    return ours;
  }
}

registerTransport("tube", new TubeTransport());

describe("a scheme registered by a program", () => {
  it("carries messages between two sockets, whoever binds or connects first", async () => {
    const [push, pull] = [managed(new Push({ reconnectInterval: 1 })), managed(new Pull())];
    push.connect("tube://early");
    await push.send(["one", "two"]);
    expect(await pull.bind("tube://early")).toBe("tube://early");
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["one", "two"]);
    const large = Buffer.alloc(1_000_000, 7);
    await push.send(large);
    expect((await pull.receive({ timeout: 20_000 }))[0].equals(large)).toBe(true);
  });

  it("has its own wildcard, and a bind of it is told the name", async () => {
    const [reply, request] = [managed(new Reply()), managed(new Request())];
    const [one, other] = [await reply.bind("tube://?"), reply.bindSync("tube://?")];
    expect([one, other]).toEqual(["tube://tube0", "tube://tube1"]);
    request.connect(other);
    const answer = request.request("hello", { timeout: 20_000 });
    expect(texts(await reply.receive({ timeout: 20_000 }))).toEqual(["hello"]);
    await reply.send("there");
    expect(texts(await answer)).toEqual(["there"]);
    await expect(reply.unbind("tube://?")).rejects.toMatchObject({ code: "ENOENT" });
    await reply.unbind(one);
  });

  it("says itself what its addresses are", async () => {
    const pull = managed(new Pull());
    expect(() => pull.connect("tube://7")).toThrow(expect.objectContaining({ code: "EINVAL" }));
    await expect(pull.bind("tube://7")).rejects.toMatchObject({ code: "EINVAL", address: "tube://7" });
    await pull.bind("tube://taken");
    await expect(pull.bind("tube://taken")).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  it("is open to a Stream, too, and named where another scheme is unknown", async () => {
    await managed(new StreamSocket()).bind("tube://?");
    const detail = 'the scheme "tub" is unknown; use tcp, ipc, tls+tcp, ws, wss, tube, udp or inproc';
    expect(() => managed(new Pull()).connect("tub://x")).toThrow(detail);
    expect(() => registerTransport("tube", new TubeTransport())).toThrow('"tube" is taken');
  });
});
