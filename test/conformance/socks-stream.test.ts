/** The stream that a SOCKS proxy hands on, and proxies beside libzmq. */
import { createServer, type Socket as NetSocket, type Server } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import * as zmq from "zeromq";
import { Pull, Push } from "../../src/index.js";
import { defaultOptions } from "../../src/options/values.js";
import type { StreamHandler } from "../../src/transport/contract/transport.js";
import { transportFor } from "../../src/transport/registry.js";
import { managed, settled, texts, turns, until } from "../support/helpers.js";
import { SocksServer } from "../support/socks-server.js";

function portOf(endpoint: string): number {
  return Number(endpoint.slice(endpoint.lastIndexOf(":") + 1));
}

async function bound(options = {}): Promise<{ pull: Pull; endpoint: string; port: number }> {
  const pull = managed(new Pull(options));
  const endpoint = await pull.bind("tcp://127.0.0.1:*");
  return { pull, endpoint, port: portOf(endpoint) };
}

describe("beside libzmq", () => {
  it("the proxy serves zeromq as well (R24)", async () => {
    const proxy = await SocksServer.start();
    const { pull, endpoint, port } = await bound();
    const push = new zmq.Push({ linger: 0, socksProxy: proxy.address });
    onTestFinished(() => push.close());
    push.connect(endpoint);
    await push.send("from libzmq");
    expect(texts(await pull.receive({ timeout: 10_000 }))).toEqual(["from libzmq"]);
    expect(proxy.requests).toEqual([{ methods: [0], type: "ipv4", host: "127.0.0.1", port }]);
  });

  it.each([{ glue: false }, { glue: true }])("zeromq is the destination %o (R24)", async (behaviour) => {
    const proxy = await SocksServer.start({ ...behaviour, names: { there: "127.0.0.1" } });
    const pull = new zmq.Pull({ linger: 0, receiveTimeout: 10_000 });
    onTestFinished(() => pull.close());
    await pull.bind("tcp://127.0.0.1:*");
    const push = managed(new Push({ socksProxy: proxy.address }));
    push.connect(`tcp://there:${portOf(String(pull.lastEndpoint))}`);
    await push.send("to libzmq", { timeout: 10_000 });
    expect(texts(await pull.receive())).toEqual(["to libzmq"]);
    expect(proxy.requests).toMatchObject([{ type: "name", host: "there" }]);
  });
});

describe("the stream that is handed on", () => {
  /** Remembers what it hears. */
  class Heard implements StreamHandler {
    text = "";
    ends: unknown[] = [];
    onBytes(chunk: Buffer): void {
      this.text += chunk.toString("latin1");
    }
    onFrames(): void {}
    onLargeFrame(): void {}
    onDrain(): void {}
    onClose(error: Error | undefined): void {
      this.ends.push(error);
    }
  }

  /** A destination that says hello, and its connections. */
  async function destination(): Promise<{ server: Server; port: number; sockets: NetSocket[] }> {
    const sockets: NetSocket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => {});
      socket.write("hello ");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return { server, port: (server.address() as { port: number }).port, sockets };
  }

  async function dialled(proxy: SocksServer, port: number) {
    const options = { ...defaultOptions(), socksProxy: proxy.address };
    const signal = new AbortController().signal;
    const stream = await transportFor("tcp").connect(`127.0.0.1:${port}`, options, signal, true);
    onTestFinished(() => stream.close());
    return stream;
  }

  it("keeps what was glued to the reply, and what comes before start(), in order (R24)", async () => {
    const proxy = await SocksServer.start({ glue: true });
    const { port, sockets } = await destination();
    const stream = await dialled(proxy, port);
    expect(stream.remoteAddress).toBe(`tcp://127.0.0.1:${port}`);
    sockets[0].write("again ");
    await turns(20);
    const heard = new Heard();
    stream.start(heard);
    expect(heard.text).toBe(""); // never from inside a call
    await until(() => heard.text === "hello again ", "both");
    sockets[0].write("and again");
    await until(() => heard.text === "hello again and again", "all");
    stream.write([Buffer.from("answer")]);
    const [answer] = await new Promise<Buffer[]>((resolve) =>
      sockets[0].once("data", (chunk) => resolve([chunk])),
    );
    expect(String(answer)).toBe("answer");
    sockets[0].end();
    await until(() => heard.ends.length === 1, "the end");
  });

  it("tells of an end that came before start(), and delivers what was glued first (R24)", async () => {
    const proxy = await SocksServer.start({ glue: true });
    const { port } = await destination();
    const stream = await dialled(proxy, port);
    proxy.drop();
    await until(() => proxy.open === 0, "dropped");
    await turns(20);
    const heard = new Heard();
    stream.start(heard);
    await until(() => heard.ends.length === 1, "the end");
    expect(heard.text).toBe("hello ");
  });

  it("says nothing to a handler that closed it before the glued octets came (R24)", async () => {
    const proxy = await SocksServer.start({ glue: true });
    const { port } = await destination();
    const stream = await dialled(proxy, port);
    const heard = new Heard();
    stream.start(heard);
    stream.close();
    await until(() => proxy.open === 0, "closed");
    expect([heard.text, heard.ends]).toEqual(["", []]);
  });

  it("an attempt aborted while the proxy is silent closes the connection and rejects with the reason (R24)", async () => {
    const proxy = await SocksServer.start({ hang: "method" });
    const abort = new AbortController();
    const options = { ...defaultOptions(), socksProxy: proxy.address };
    const attempt = transportFor("tcp").connect("127.0.0.1:1", options, abort.signal, true);
    attempt.catch(() => {});
    await until(() => proxy.open === 1, "a connection to the proxy");
    expect(await settled(attempt)).toBe(false);
    abort.abort(new Error("enough"));
    await expect(attempt).rejects.toThrow("enough");
    await until(() => proxy.open === 0, "closed");
  });
});
