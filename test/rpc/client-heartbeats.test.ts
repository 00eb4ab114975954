/**
 * The client's heartbeats against a server whose bytes are written by hand.
 */
import { describe, expect, it } from "vitest";
import { LostRemote } from "../../src/rpc.js";
import { rawListen, turns, until, within } from "../support/helpers.js";
import { arr, bin, decode, int, nil, plain, str } from "../support/msgpack.js";
import { message } from "../support/raw-peer.js";
import { joinedWithClock } from "../support/rpc-client.js";
import { calling, event, newId } from "../support/rpc-peers.js";

function heapUsed(): number {
  for (let i = 0; i < 3; i++) global.gc?.();
  return process.memoryUsage().heapUsed;
}

describe("heartbeats", () => {
  it("every heartbeat of the server is answered with one heartbeat (T19)", async () => {
    const { server, clock, client } = await joinedWithClock();
    const call = client.call("slow");
    const request = await server.next("slow");
    for (let second = 1; second <= 6; second++) {
      clock.advance(1000);
      await server.reply(request, "_zpc_hb", arr(int(0)));
      expect((await server.next("_zpc_hb", second)).args).toEqual([0]);
    }
    await server.reply(request, "OK", arr(int(1)));
    expect(await call).toBe(1);
    expect(server.names.filter((name) => name === "_zpc_hb")).toHaveLength(6);
  });

  it("a server that sends heartbeats without end and reads nothing does not fill the memory of its client", async () => {
    const listener = await rawListen();
    const api = calling(listener.endpoint);
    const call = api.slow();
    const server = await listener.accept();
    await server.handshake({ type: "ROUTER" });
    await server.readFrame();
    const request = decode((await server.readFrame()).body);
    const [header] = plain(request) as [{ message_id: Buffer }];
    server.pause();
    const before = heapUsed();
    const reply = (name: string, args: Buffer) =>
      message(
        Buffer.alloc(0),
        event({ message_id: bin(newId()), v: int(3), response_to: bin(header.message_id) }, name, args),
      );
    for (let i = 0; i < 500; i++) {
      server.write(...Array.from({ length: 100 }, () => reply("_zpc_hb", arr(int(0)))));
      await turns(1);
    }
    server.write(reply("OK", arr(int(1))));
    expect(await within(call, "the answer behind all heartbeats")).toBe(1);
    expect(heapUsed() - before).toBeLessThan(16 * 1024 ** 2);
  });

  it("a client begins a heartbeat when none came for an interval, and does not answer the answer", async () => {
    const { server, clock, client } = await joinedWithClock({ timeout: Infinity });
    const call = client.call("slow");
    const request = await server.next("slow");
    clock.advance(4900);
    await turns(10);
    expect(server.names).toEqual(["slow"]);
    for (let i = 1; i <= 3; i++) {
      clock.advance(5000);
      await server.next("_zpc_hb", i);
      await server.reply(request, "_zpc_hb", nil); // T18
    }
    await server.reply(request, "OK", arr(int(1)));
    await call;
    expect(server.names).toEqual(["slow", "_zpc_hb", "_zpc_hb", "_zpc_hb"]);
  });

  it("with heartbeat 0 a client begins none, and answers each", async () => {
    const { server, clock, client } = await joinedWithClock({ heartbeat: 0, timeout: Infinity });
    const call = client.call("slow");
    const request = await server.next("slow");
    clock.advance(100_000);
    await server.reply(request, "_zpc_hb", arr(int(0)));
    await server.next("_zpc_hb");
    await server.reply(request, "OK", arr(int(1)));
    await call;
    expect(server.names).toEqual(["slow", "_zpc_hb"]);
  });

  it("with lostAfter a call to a silent server rejects with LostRemote in time, and one to a server that sends heartbeats does not (T20)", async () => {
    const { server, clock, client } = await joinedWithClock({ heartbeat: 1000, lostAfter: 3000 });
    const silent = client.call("silent").catch((error) => error);
    const alive = client.call("alive");
    const request = await server.next("alive");
    for (let i = 1; i <= 3; i++) {
      clock.advance(1000);
      const before = client.stats.late;
      await server.reply(request, "_zpc_hb", arr(int(0)));
      await server.reply({ ...request, header: { message_id: Buffer.from("none") } }, "OK", arr());
      await until(() => client.stats.late > before, "the heartbeat came");
    }
    expect(await silent).toBeInstanceOf(LostRemote);
    await server.reply(request, "OK", arr(int(1)));
    expect(await alive).toBe(1);
  });

  it("a server that is silent for minutes does not lose its call by default", async () => {
    const { server, clock, client } = await joinedWithClock({ timeout: Infinity });
    const call = client.call("slow");
    const request = await server.next("slow");
    await server.reply(request, "_zpc_hb", arr(int(0))); // it has beaten once, and blocks then
    await server.next("_zpc_hb");
    for (let i = 0; i < 300; i++) clock.advance(1000);
    await server.reply(request, "OK", arr(int(1)));
    expect(await call).toBe(1);
    expect(server.names.filter((name) => name === "_zerorpc_ping").length).toBeLessThanOrEqual(1);
  });

  it("a call rejects with LostRemote when its server stops its heartbeats and still answers a ping", async () => {
    const { server, clock, client } = await joinedWithClock({ timeout: Infinity });
    const call = client.call("slow").catch((error) => error);
    const request = await server.next("slow");
    await server.reply(request, "_zpc_hb", arr(int(0)));
    await server.next("_zpc_hb");
    for (let i = 0; i < 16; i++) clock.advance(1000);
    const ping = await server.next("_zerorpc_ping");
    await server.reply(ping, "OK", arr(arr(str("pong"), str("x"))));
    await until(() => client.stats.inFlight === 1, "the ping is answered");
    clock.advance(7000);
    clock.advance(2000);
    const error = await within(call, "the call fails");
    expect(error).toBeInstanceOf(LostRemote);
    expect((error as Error).message).toContain("has forgotten the call");
  });
});
