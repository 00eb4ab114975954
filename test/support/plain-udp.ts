/** A udp socket of node:dgram, which knows nothing of ZeroMQ: the other side in tests of the wire. */
import { createSocket, type Socket } from "node:dgram";
import { expect, onTestFinished } from "vitest";
import type { Dish } from "../../src/draft.js";
import { within } from "./helpers.js";

export class PlainUdp {
  /** Datagrams that have arrived, in order. */
  readonly arrived: Array<{ bytes: Buffer; port: number; host: string }> = [];
  readonly #socket: Socket;
  #wake: (() => void) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("message", (bytes, { port, address }) => {
      this.arrived.push({ bytes, port, host: address });
      this.#wake?.();
    });
  }

  /** Binds to a free port; closed when the test ends. */
  static async open(host = "127.0.0.1"): Promise<PlainUdp> {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    const udp = new PlainUdp(socket);
    await new Promise<void>((bound) => socket.bind(0, host, bound));
    onTestFinished(() => void socket.close());
    return udp;
  }

  /** An endpoint of a port that is free, for who cannot tell which one it has chosen. */
  static freeEndpoint(): Promise<string> {
    const probe = createSocket("udp4");
    return new Promise((found) => {
      probe.bind(0, "127.0.0.1", () => {
        const { port } = probe.address();
        probe.close(() => found(`udp://127.0.0.1:${port}`));
      });
    });
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** The endpoint by which zwire knows it. */
  get endpoint(): string {
    const { address, port } = this.#socket.address();
    return address.includes(":") ? `udp://[${address}]:${port}` : `udp://${address}:${port}`;
  }

  /** Sends to an endpoint; resolves when the system has it. */
  send(endpoint: string, bytes: Uint8Array | string): Promise<void> {
    const [, six, four, port] = /^udp:\/\/(?:\[(.+)\]|(.+)):(\d+)$/.exec(endpoint) ?? [];
    return new Promise((resolve, reject) =>
      this.#socket.send(bytes, Number(port), six ?? four, (error) => (error ? reject(error) : resolve())),
    );
  }

  /** The next datagram. */
  async next(): Promise<{ bytes: Buffer; port: number; host: string }> {
    while (this.arrived.length === 0) {
      await within(new Promise<void>((resolve) => (this.#wake = resolve)), "a datagram");
    }
    return this.arrived.shift() as { bytes: Buffer; port: number; host: string };
  }
}

/** A datagram from a RADIO. */
export function groupDatagram(group: string | Uint8Array, body: string | Uint8Array): Buffer {
  const name = Buffer.from(group as string);
  return Buffer.concat([Uint8Array.of(name.length), name, Buffer.from(body as string)]);
}

/** The next message of a Dish as [text, group]. */
export async function heard(dish: Dish): Promise<[string, string]> {
  const [part, { group }] = await dish.receive({ timeout: 20_000 });
  return [part.toString(), group.toString()];
}

/** Matches a ZmqError with this code. */
export const code = (name: string) => expect.objectContaining({ name: "ZmqError", code: name });
