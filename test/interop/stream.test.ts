/**
 * STREAM with libzmq: what each sees of the other's ZMTP, and notices of connections.
 */
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { Dealer, Stream } from "../../src/index.js";
import { ANY, foreign, read } from "../support/foreign.js";
import { managed, TRANSPORTS } from "../support/helpers.js";
import { greeting, ready } from "../support/raw-peer.js";

describe("STREAM", () => {
  const READY = ready("DEALER", [["Identity", ""]]);
  const HELLO = Buffer.from("\x00\x05hello");

  /** The bytes of one connection; what it reads beyond those asked for is kept. */
  class Octets {
    id: Buffer | null = null;
    #stream: { receive(): Promise<Buffer[]> };
    #rest = Buffer.alloc(0);

    constructor(stream: { receive(): Promise<Buffer[]> }) {
      this.#stream = stream;
    }

    async next(count: number): Promise<Buffer> {
      while (this.#rest.length < count) {
        const [from, chunk] = await this.#stream.receive();
        this.id ??= from;
        expect(from).toEqual(this.id);
        this.#rest = Buffer.concat([this.#rest, chunk]);
      }
      const octets = this.#rest.subarray(0, count);
      this.#rest = this.#rest.subarray(count);
      return octets;
    }
  }

  it.each([
    ["our STREAM sees libzmq's DEALER", true],
    ["libzmq's STREAM sees our DEALER", false],
  ])("%s: greeting, READY and frames octet for octet (M7, A6)", async (_title, oursListens) => {
    const stream = oursListens ? managed(new Stream({ receiveTimeout: 20_000 })) : foreign(new zmq.Stream());
    const dealer = oursListens ? foreign(new zmq.Dealer()) : managed(new Dealer({ receiveTimeout: 20_000 }));
    await stream.bind(ANY);
    dealer.connect(stream.lastEndpoint as string);
    const octets = new Octets(stream);
    const signature = await octets.next(10);
    const id = octets.id as Buffer;
    expect([id.length, id[0]]).toEqual([5, 0]);
    expect([signature[0], signature[9]]).toEqual([0xff, 0x7f]);
    const ours = greeting();
    await stream.send([id, ours.subarray(0, 10)]);
    expect(await octets.next(1)).toEqual(Buffer.of(3));
    await stream.send([id, ours.subarray(10)]);
    const rest = await octets.next(53);
    expect([rest[0], rest.subarray(1, 21).toString("latin1"), rest[21]]).toEqual([
      1,
      "NULL".padEnd(20, "\0"),
      0,
    ]);
    expect(rest.subarray(22)).toEqual(Buffer.alloc(31));
    expect(await octets.next(READY.length)).toEqual(READY);
    await stream.send([id, ready("ROUTER")]);
    await dealer.send("hello");
    expect(await octets.next(HELLO.length)).toEqual(HELLO);
    await stream.send([id, HELLO]);
    expect(await read(dealer)).toEqual(["hello"]);
  });

  it.each(TRANSPORTS.filter(({ name }) => name !== "inproc"))(
    "over $name each side is told when the other ends the connection (M2, M4)",
    async ({ endpoint }) => {
      for (const oursListens of [true, false]) {
        const ours = managed(new Stream({ receiveTimeout: 20_000 }));
        const theirs = foreign(new zmq.Stream());
        const [listening, dialling] = oursListens ? [ours, theirs] : [theirs, ours];
        await listening.bind(endpoint());
        dialling.connect(listening.lastEndpoint as string, { routingId: "named" });
        const [id, notice] = await listening.receive();
        expect(notice.length).toBe(0);
        expect(await read(dialling)).toEqual(["named", ""]);
        await dialling.send(["named", "octets"]);
        expect(await listening.receive()).toEqual([id, Buffer.from("octets")]);
        await listening.send([id, ""]);
        // libzmq closes the connection only inside a call of its socket.
        if (!oursListens) listening.receive().catch(() => {});
        expect(await read(dialling)).toEqual(["named", ""]);
      }
    },
  );
});
