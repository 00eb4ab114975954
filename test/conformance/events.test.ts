/**
 * Section T: what a socket tells about its connections, on both interfaces: socket.on() and socket.events.
 */
import { describe, expect, it } from "vitest";
import { type Event, Pull, Push } from "../../src/index.js";
import { managed, rawConnected, rawDial, rawListen, record, within } from "../support/helpers.js";
import { greeting, ready } from "../support/raw-peer.js";

describe("events", () => {
  it("a dialler tells of a healthy connection and its end, in order (T1)", async () => {
    const listener = await rawListen();
    const push = managed(new Push({ reconnectInterval: 1000 }));
    const events = record(push);
    push.connect(listener.endpoint);
    const peer = await listener.accept();
    await peer.handshake({ type: "PULL" });
    await events.next("handshake");
    peer.socket.end();
    const retry = await events.next("connect:retry");
    expect(events.names).toEqual(["connect:delay", "connect", "handshake", "disconnect", "connect:retry"]);
    for (const event of events.events) expect(event.address).toBe(listener.endpoint);
    expect(retry.interval).toBeGreaterThanOrEqual(1000);
    const [handshake] = events.of("handshake");
    const [disconnect] = events.of("disconnect");
    expect(handshake.peer).toMatchObject({ socketType: "PULL", address: listener.endpoint });
    expect(disconnect.peer!.id).toBe(handshake.peer!.id);
    expect(disconnect.error).toBeUndefined();
  });

  it("a refused connection attempt tells why it will be made again (T1)", async () => {
    const listener = await rawListen();
    await listener.close();
    const push = managed(new Push({ reconnectInterval: 10 }));
    const events = record(push);
    push.connect(listener.endpoint);
    const retry = await events.next("connect:retry");
    expect(retry.error).toMatchObject({ code: "ECONNREFUSED" });
    expect(events.of("connect")).toHaveLength(0);
  });

  it("a listener tells of its binding, of each connection and its end, and of its own (T2)", async () => {
    const pull = managed(new Pull());
    const events = record(pull);
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    const peer = await rawConnected(endpoint, { type: "PUSH" });
    await events.next("handshake");
    const remote = `tcp://127.0.0.1:${peer.socket.localPort}`;
    peer.socket.end();
    await events.next("disconnect");
    await pull.close();
    expect(events.names).toEqual(["bind", "accept", "handshake", "disconnect", "close", "end"]);
    expect(events.events.map((event) => event.address)).toEqual([
      endpoint,
      remote,
      remote,
      remote,
      endpoint,
      "",
    ]);
  });

  it("closing a socket with a connected peer tells of the end last, and of nothing after it (T2)", async () => {
    const pull = managed(new Pull());
    const events = record(pull);
    const peer = await rawConnected(await pull.bind("tcp://127.0.0.1:*"), { type: "PUSH" });
    await events.next("handshake");
    await pull.close();
    await peer.closed();
    expect(events.names.at(-1)).toBe("end");
    expect(events.of("end")).toHaveLength(1);
    expect(events.of("close").length).toBeGreaterThanOrEqual(1);
  });

  it("a bind that fails is told besides the error thrown (T4)", async () => {
    const taken = await rawListen();
    const pull = managed(new Pull());
    const events = record(pull);
    await expect(pull.bind(taken.endpoint)).rejects.toMatchObject({ code: "EADDRINUSE" });
    const event = await events.next("bind:error");
    expect(event).toMatchObject({ address: taken.endpoint, error: { code: "EADDRINUSE" } });
  });

  it("an incompatible socket type is told with the reason (T6)", async () => {
    const pull = managed(new Pull());
    const events = record(pull);
    const peer = await rawDial(await pull.bind("tcp://127.0.0.1:*"));
    const { localPort } = peer.socket;
    peer.write(greeting(), ready("DEALER"));
    const event = await events.next("handshake:error:protocol");
    expect(event.error!.message).toMatch(/DEALER/);
    expect(event.error!.message).toMatch(/PULL/);
    expect(event.address).toBe(`tcp://127.0.0.1:${localPort}`);
  });

  it("a failure after the handshake names the peer that is closed", async () => {
    const pull = managed(new Pull({ maxMessageSize: 100 }));
    const events = record(pull);
    const peer = await rawConnected(await pull.bind("tcp://127.0.0.1:*"), {
      type: "PUSH",
      properties: [["X-Who", "me"]],
    });
    await events.next("handshake");
    peer.write(Buffer.from([0, 101]));
    const event = await events.next("handshake:error:protocol");
    expect(event.peer!.metadata.get("X-Who")!.toString()).toBe("me");
    const end = await events.next("disconnect");
    expect(end.peer!.id).toBe(event.peer!.id);
    expect(end.error).toBeInstanceOf(Error);
  });

  it("a connection that is reset says so", async () => {
    const pull = managed(new Pull());
    const events = record(pull);
    const peer = await rawConnected(await pull.bind("tcp://127.0.0.1:*"), { type: "PUSH" });
    await events.next("handshake");
    peer.reset();
    const { error } = await events.next("disconnect");
    expect(error).toMatchObject({ code: "ECONNRESET" });
  });

  it("socket.events gives the same events to receive() and to iteration, and ends with the socket", async () => {
    const pull = managed(new Pull());
    const observer = pull.events;
    expect(pull.events).toBe(observer);
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    expect(await within(observer.receive(), "an event")).toMatchObject({ type: "bind", address: endpoint });
    await rawConnected(endpoint, { type: "PUSH" });
    await pull.connected({ timeout: 20_000 });
    void pull.close();
    const rest: Event[] = [];
    for await (const event of observer) rest.push(event);
    expect(rest.map((event) => event.type).slice(0, 2)).toEqual(["accept", "handshake"]);
    expect(rest.at(-1)!.type).toBe("end");
    expect(observer.closed).toBe(true);
    await expect(observer.receive()).rejects.toMatchObject({ code: "EBADF" });
  });

  it("socket.events.on() hears events, off() ends that, and receive() then throws", async () => {
    const pull = managed(new Pull());
    const heard: string[] = [];
    const listener = (event: Event) => heard.push(event.address);
    pull.events.on("bind", listener);
    const one = await pull.bind("tcp://127.0.0.1:*");
    pull.events.off("bind", listener);
    await pull.bind("tcp://127.0.0.1:*");
    expect(heard).toEqual([one]);
    await expect((async () => pull.events.receive())()).rejects.toThrow();
  });

  it("once() hears one event, and an unknown name is a TypeError", async () => {
    const pull = managed(new Pull());
    let heard = 0;
    pull.once("bind", () => heard++);
    await pull.bind("tcp://127.0.0.1:*");
    await pull.bind("tcp://127.0.0.1:*");
    expect(heard).toBe(1);
    expect(() => pull.on("bound" as "bind", () => {})).toThrow(TypeError);
    expect(() => pull.on("bind", null as unknown as () => void)).toThrow(TypeError);
  });

  it("connected() counts peers with a complete handshake, and honours timeout and signal", async () => {
    const pull = managed(new Pull());
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    await rawDial(endpoint);
    await expect(pull.connected({ timeout: 30 })).rejects.toMatchObject({ code: "EAGAIN" });
    const aborter = new AbortController();
    const waiting = pull.connected({ count: 2, signal: aborter.signal });
    aborter.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await rawConnected(endpoint, { type: "PUSH" });
    await rawConnected(endpoint, { type: "PUSH" });
    await pull.connected({ count: 2, timeout: 20_000 });
    const ids = pull.peers.map((peer) => peer.id);
    expect(new Set(ids).size).toBe(2);
  });
});
