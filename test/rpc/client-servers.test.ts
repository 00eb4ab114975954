/**
 * The client when servers written by hand come, go, do not read, or dial it.
 */
import { describe, expect, it, onTestFinished } from "vitest";
import { Router } from "../../src/index.js";
import { Client, LostRemote } from "../../src/rpc.js";
import { managed, turns, within } from "../support/helpers.js";
import { arr, bin, decode, int, map, plain, str } from "../support/msgpack.js";
import { items } from "../support/rpc-client.js";
import { calling, ManualClock, ScriptedServer } from "../support/rpc-peers.js";

describe("servers that come and go", () => {
  it("calls that timed out or were aborted before a server came are never delivered (T32)", async () => {
    const clock = new ManualClock();
    const { endpoint, socket } = await ScriptedServer.listen();
    await socket.close({ linger: 0 });
    const client = new Client(endpoint, { socket: { reconnectInterval: 10 } }, clock);
    onTestFinished(() => client.close());
    const controller = new AbortController();
    const early = Array.from({ length: 1000 }, (_, i) => client.call("early", [i], { timeout: 100 }));
    const aborted = Array.from({ length: 100 }, (_, i) =>
      client.call("aborted", [i], { signal: controller.signal }),
    );
    const late = Array.from({ length: 100 }, (_, i) => client.call("late", [i], { timeout: 100_000 }));
    expect(client.stats).toMatchObject({ waiting: 1200, inFlight: 0 });
    clock.advance(100);
    controller.abort(new Error("no longer"));
    for (const result of await Promise.allSettled(early)) {
      expect(result).toMatchObject({ status: "rejected", reason: { name: "TimeoutExpired", sent: false } });
    }
    for (const result of await Promise.allSettled(aborted)) {
      expect(result).toMatchObject({ status: "rejected", reason: { message: "no longer" } });
    }
    expect(client.stats.waiting).toBe(100);
    const server = await ScriptedServer.listen(endpoint);
    await server.next("late", 100);
    expect(server.heard.map(({ args }) => (args as number[])[0])).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
    await Promise.all(server.heard.map((request, i) => server.reply(request, "OK", arr(int(i)))));
    expect(await Promise.all(late)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(server.names.filter((name) => name !== "late")).toEqual([]);
  });

  it("calls under way reject when the connection breaks, and the next call goes to the new server", async () => {
    const first = await ScriptedServer.listen();
    const api = calling(first.endpoint, { socket: { reconnectInterval: 10 } });
    const call = api.m();
    const stream = api.$stream("s");
    await items(first, await first.next("s"), 0, 1);
    expect((await stream.next()).value).toBe(0);
    await first.socket.close({ linger: 0 });
    await expect(within(call, "the call fails")).rejects.toThrow(LostRemote);
    await expect(within(stream.next(), "the stream fails")).rejects.toThrow(LostRemote);
    const next = api.again();
    const second = await ScriptedServer.listen(first.endpoint);
    await second.reply(await second.next("again"), "OK", arr(int(1)));
    expect(await next).toBe(1);
    expect(second.names).toEqual(["again"]);
  });

  it("an answer that came before the connection broke counts", async () => {
    const server = await ScriptedServer.listen();
    const api = calling(server.endpoint);
    const calls = Array.from({ length: 300 }, () => api.m());
    await server.next("m", 300);
    for (const [i, request] of server.heard.entries()) void server.reply(request, "OK", arr(int(i)));
    await server.socket.close({ linger: 5000 });
    expect(await Promise.all(calls)).toHaveLength(300);
  });

  it("calls wait for room: many big ones to a server that does not read are sent in order when it does", async () => {
    const router = managed(new Router({ receiveHighWaterMark: 1 }));
    const endpoint = await router.bind("tcp://127.0.0.1:*");
    const api = calling(endpoint, { socket: { sendHighWaterMark: 2 } });
    const body = Buffer.alloc(500_000);
    const controller = new AbortController();
    const calls = Array.from({ length: 60 }, (_, i) =>
      api.$call("m", [i, body], { signal: i % 2 ? controller.signal : undefined }).catch((error) => error),
    );
    await api.$client.connected();
    await turns(50);
    const { waiting, inFlight } = api.$client.stats;
    expect(waiting).toBeGreaterThan(20);
    expect(waiting + inFlight).toBe(60);
    controller.abort(new Error("withdrawn"));
    const kept = Array.from({ length: 60 }, (_, i) => i).filter((i) => i % 2 === 0 || i < inFlight);
    for (const i of kept) {
      const [name, , payload] = await router.receive({ timeout: 5000 });
      const [header, , args] = plain(decode(payload)) as [{ message_id: Buffer }, string, [number]];
      expect(args[0]).toBe(i);
      const answer = arr(
        map({ message_id: bin("x"), v: int(3), response_to: bin(header.message_id) }),
        str("OK"),
        arr(int(i)),
      );
      await router.send([name, "", answer]);
    }
    const results = await within(Promise.all(calls), "all calls");
    expect(results.filter((one) => typeof one === "number")).toEqual(
      Array.from({ length: 60 }, (_, i) => i).filter((i) => i % 2 === 0),
    );
    expect(router.tryReceive()).toBeUndefined();
  });

  it("a client may bind, and the server connect", async () => {
    const api = calling("tcp://127.0.0.1:*", { bind: true });
    const router = managed(new Router());
    router.connect(api.$client.endpoints[0]);
    const call = api.m();
    const [name, , payload] = await router.receive({ timeout: 5000 });
    const [header] = plain(decode(payload)) as [{ message_id: Buffer }];
    await router.send([
      name,
      "",
      arr(
        map({ message_id: bin("x"), v: int(3), response_to: bin(header.message_id) }),
        str("OK"),
        arr(int(5)),
      ),
    ]);
    expect(await call).toBe(5);
  });
});
