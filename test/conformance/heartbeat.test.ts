/**
 * Section F: PING, PONG, TTL and unknown commands after the handshake, against a raw peer and libzmq. Subscriptions,
 * which are commands too, are in pub-sub-wire.test.ts. Intervals are short but several times what a busy machine needs.
 */
import { describe, expect, it, vi } from "vitest";
import * as zmq from "zeromq";
import { Dealer, Publisher, Pull, Push, Reply, Request, Subscriber } from "../../src/index.js";
import { managed, rawConnected, rawDial, rawListen, record, texts } from "../support/helpers.js";
import { command, greeting, message, type RawPeer, ready } from "../support/raw-peer.js";

async function boundPull(options = {}) {
  const pull = managed(new Pull(options));
  const events = record(pull);
  return { pull, events, endpoint: await pull.bind("tcp://127.0.0.1:*") };
}

/** Answers every PING until the connection ends; gives the PINGs seen. */
function answering(peer: RawPeer): { pings: Buffer[]; stop(): void } {
  const state = { pings: [] as Buffer[], stopped: false };
  void (async () => {
    while (!state.stopped) {
      const next = await peer.readCommand();
      if (next.name !== "PING") continue;
      state.pings.push(next.data);
      if (!state.stopped) peer.write(command("PONG", next.data.subarray(2)));
    }
  })().catch(() => {});
  return { pings: state.pings, stop: () => (state.stopped = true) };
}

/** The next message; PINGs before it are answered. */
async function answeredMessage(peer: RawPeer): Promise<Buffer[]> {
  const parts: Buffer[] = [];
  for (;;) {
    const { command: isCommand, body, more } = await peer.readFrame();
    if (isCommand) peer.write(command("PONG", body.subarray(7)));
    else parts.push(body);
    if (!isCommand && !more) return parts;
  }
}

describe("PING received", () => {
  it.each(["", "x", "0123456789abcdef"])("PONG carries the context %j exactly (F7)", async (context) => {
    const { endpoint } = await boundPull();
    const peer = await rawConnected(endpoint, { type: "PUSH" });
    peer.write(command("PING", `\0\0${context}`));
    const pong = await peer.readCommand();
    expect(pong.frame.flags).toBe(4);
    expect([pong.name, pong.data.toString("latin1")]).toEqual(["PONG", context]);
  });

  it("a context beyond 16 octets is cut to 16 (F7)", async () => {
    const { endpoint } = await boundPull();
    const peer = await rawConnected(endpoint, { type: "PUSH" });
    peer.write(command("PING", "\0\x000123456789abcdefghi"));
    const pong = await peer.readCommand();
    expect(pong.data.toString("latin1")).toBe("0123456789abcdef");
  });

  it.each(["", "\0"])("a PING shorter than its TTL field (%j) is ignored (F8)", async (data) => {
    const { pull, endpoint } = await boundPull();
    const peer = await rawConnected(endpoint, { type: "PUSH" });
    peer.write(command("PING", data));
    await peer.barrier();
    peer.write(message("x"));
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["x"]);
  });

  it.each([
    ["REQ", Request, "REP"],
    ["REP", Reply, "REQ"],
    ["PUB", Publisher, "SUB"],
    ["SUB", Subscriber, "PUB"],
    ["PUSH", Push, "PULL"],
  ] as const)("%s answers PING as well (F7)", async (_, Type, type) => {
    const socket = managed(new Type());
    const peer = await rawConnected(await socket.bind("tcp://127.0.0.1:*"), { type });
    await peer.barrier();
  });

  it("after a PING with TTL t, silence of t tenths of a second ends the connection (F9)", async () => {
    const { events, endpoint } = await boundPull();
    const peer = await rawConnected(endpoint, { type: "PUSH" });
    peer.write(command("PING", Buffer.from([0, 3])));
    const began = performance.now();
    expect((await peer.readCommand()).name).toBe("PONG");
    await peer.closed();
    expect(performance.now() - began).toBeGreaterThan(150);
    const { error } = await events.next("disconnect");
    expect(error).toBeInstanceOf(Error);
  });

  it("any frame ends the wait for the TTL (F12)", async () => {
    const { pull, events, endpoint } = await boundPull();
    const peer = await rawConnected(endpoint, { type: "PUSH" });
    peer.write(command("PING", Buffer.from([0, 2])), message("alive"));
    expect((await peer.readCommand()).name).toBe("PONG");
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["alive"]);
    // Another connection, whose TTL of the same length runs out, shows that the time is over.
    const other = await rawConnected(endpoint, { type: "PUSH" });
    other.write(command("PING", Buffer.from([0, 4])));
    await other.closed();
    expect(events.of("disconnect")).toHaveLength(1);
    await peer.barrier();
  });

  it("PONG is produced while our outbound queue is full and nobody reads our inbound one (F15)", async () => {
    const { pull, endpoint } = await boundPull({ receiveHighWaterMark: 10_000 });
    const peer = await rawConnected(endpoint, { type: "PUSH" });
    for (let i = 0; i < 500; i++) peer.write(message(`${i}`));
    await peer.barrier();
    expect(pull.stats.receiveQueue).toBe(500);
    const push = managed(new Push({ sendHighWaterMark: 5 }));
    const far = await rawConnected(await push.bind("tcp://127.0.0.1:*"), { type: "PULL" });
    await push.connected();
    far.pause();
    while (push.trySend(Buffer.alloc(100_000)));
    far.write(command("PING", "\0\0late"));
    far.resume();
    for (;;) {
      const next = await far.readFrame();
      if (next.command) {
        expect(next.body.toString("latin1")).toBe("\x04PONGlate");
        break;
      }
    }
  });

  it("an unsolicited PONG and unknown commands are ignored (F18)", async () => {
    const { pull, endpoint } = await boundPull();
    const peer = await rawConnected(endpoint, { type: "PUSH" });
    peer.write(
      command("PONG", "what"),
      command("FROBNICATE", "x".repeat(300)),
      command("READY", ""),
      message("x"),
    );
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["x"]);
    await peer.barrier();
  });

  it("SUBSCRIBE and CANCEL at a socket that is no publisher never surface as data (F5)", async () => {
    const { pull, endpoint } = await boundPull();
    const peer = await rawConnected(endpoint, { type: "PUSH" });
    peer.write(command("SUBSCRIBE", "a"), command("CANCEL", "a"), message("x"));
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["x"]);
    expect(pull.tryReceive()).toBeUndefined();
  });
});

describe("PING sent", () => {
  it("PING is a command of a two-octet TTL and at most 16 octets of context (F6)", async () => {
    const { endpoint } = await boundPull({ heartbeatInterval: 30, heartbeatTimeout: 5000 });
    const peer = await rawConnected(endpoint, { type: "PUSH" });
    const { name, data, frame } = await peer.readCommand();
    expect(name).toBe("PING");
    expect(frame.flags).toBe(4);
    expect(data.length).toBeGreaterThanOrEqual(2);
    expect(data.length).toBeLessThanOrEqual(18);
    expect(data.readUInt16BE()).toBe(0);
  });

  it("heartbeatTimeToLive is announced in tenths of a second (F6)", async () => {
    const { endpoint } = await boundPull({
      heartbeatInterval: 30,
      heartbeatTimeout: 5000,
      heartbeatTimeToLive: 1290,
    });
    const peer = await rawConnected(endpoint, { type: "PUSH" });
    expect((await peer.readCommand()).data.readUInt16BE()).toBe(12);
  });

  it("the TTL that we send is at most 655 (F10)", async () => {
    const { pull, endpoint } = await boundPull({
      heartbeatInterval: 30,
      heartbeatTimeout: 5000,
      heartbeatTimeToLive: 6_553_599,
    });
    const peer = await rawConnected(endpoint, { type: "PUSH" });
    expect((await peer.readCommand()).data.readUInt16BE()).toBe(655);
    expect(() => (pull.heartbeatTimeToLive = 6_553_600)).toThrow(RangeError); // U3
  });

  it("a PING goes out every interval, and PONGs keep the connection (F11)", async () => {
    const { events, endpoint } = await boundPull({ heartbeatInterval: 100, heartbeatTimeout: 2000 });
    const began = performance.now();
    const peer = await rawConnected(endpoint, { type: "PUSH" });
    for (let i = 0; i < 22; i++) {
      const { name, data } = await peer.readCommand();
      expect(name).toBe("PING");
      peer.write(command("PONG", data.subarray(2)));
    }
    expect(performance.now() - began).toBeGreaterThan(2000);
    expect(events.of("disconnect")).toHaveLength(0);
  });

  it("PINGs go on when the clock of the system is set back (F11)", async () => {
    const { endpoint } = await boundPull({ heartbeatInterval: 30, heartbeatTimeout: 10_000 });
    const peer = await rawConnected(endpoint, { type: "PUSH" });
    const now = Date.now.bind(Date);
    for (const shift of [0, 3_600_000, -3_600_000]) {
      const clock = vi.spyOn(Date, "now").mockImplementation(() => now() + shift);
      for (let i = 0; i < 3; i++) {
        const { name, data } = await peer.readCommand().finally(() => clock.mockRestore());
        expect(name).toBe("PING");
        peer.write(command("PONG", data.subarray(2)));
        if (i < 2) vi.spyOn(Date, "now").mockImplementation(() => now() + shift);
      }
    }
  });

  it("without an answer the connection ends after heartbeatTimeout (F11)", async () => {
    const { events, endpoint } = await boundPull({ heartbeatInterval: 50, heartbeatTimeout: 150 });
    const began = performance.now();
    const peer = await rawConnected(endpoint, { type: "PUSH" });
    await peer.closed();
    expect(performance.now() - began).toBeGreaterThan(150);
    expect((await events.next("disconnect")).error).toBeInstanceOf(Error);
  });

  it("an unset heartbeatTimeout is the interval (F11)", async () => {
    const { endpoint } = await boundPull({ heartbeatInterval: 100 });
    const began = performance.now();
    const peer = await rawConnected(endpoint, { type: "PUSH" });
    await peer.closed();
    expect(performance.now() - began).toBeGreaterThan(150);
  });

  it("no PING is sent before the handshake is finished (F13)", async () => {
    const { endpoint } = await boundPull({
      heartbeatInterval: 20,
      heartbeatTimeout: 2000,
      handshakeInterval: 1000,
    });
    const peer = await rawDial(endpoint);
    peer.write(greeting());
    await peer.readGreeting();
    expect((await peer.readCommand()).name).toBe("READY");
    expect(await peer.readToEnd()).toHaveLength(0);
  });

  it("a 3.0 peer is sent PINGs too or none, and its silence about commands does not harm messages (F14)", async () => {
    const { pull, endpoint } = await boundPull({ heartbeatInterval: 5000 });
    const peer = await rawDial(endpoint);
    await peer.handshake({ type: "PUSH", minor: 0 });
    peer.write(message("x"));
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["x"]);
  });

  it("after heartbeat expiry a dialling socket dials again (F16)", async () => {
    const listener = await rawListen();
    const push = managed(new Push({ heartbeatInterval: 50, heartbeatTimeout: 100, reconnectInterval: 20 }));
    const events = record(push);
    push.connect(listener.endpoint);
    const first = await listener.accept();
    await first.handshake({ type: "PULL" });
    await first.closed();
    const second = await listener.accept();
    await second.handshake({ type: "PULL" });
    answering(second);
    await events.next("handshake", 2);
    expect((await events.next("connect:retry")).interval).toBeLessThan(40); // not D8's
  });

  it.each([
    ["Push", Push, "PULL"],
    ["Dealer, which paces what it writes", Dealer, "ROUTER"],
  ] as const)(
    "what a silent peer has not taken goes to the next connection: %s (F16)",
    async (_, Type, type) => {
      const listener = await rawListen();
      const options = { heartbeatInterval: 50, heartbeatTimeout: 150, reconnectInterval: 20, maxResends: 0 };
      const socket = managed(new Type(options));
      socket.connect(listener.endpoint);
      const first = await listener.accept();
      await first.handshake({ type });
      first.pause();
      const body = Buffer.alloc(30_000_000, 7); // more than the kernels' buffers hold
      await socket.send(["large", body]);
      await socket.send("next");
      const second = await listener.accept();
      await second.handshake({ type });
      const [name, got] = await answeredMessage(second);
      expect([name.toString(), got.equals(body)]).toEqual(["large", true]);
      expect(texts(await answeredMessage(second))).toEqual(["next"]);
      expect(socket.stats.dropped).toBe(0);
    },
  );

  it("after heartbeat expiry an accepting socket drops the peer and its queue (F16)", async () => {
    const push = managed(new Push({ heartbeatInterval: 50, heartbeatTimeout: 150 }));
    const events = record(push);
    const endpoint = await push.bind("tcp://127.0.0.1:*");
    const dead = await rawConnected(endpoint, { type: "PULL" });
    await push.connected();
    dead.pause();
    while (push.trySend(Buffer.alloc(100_000)));
    await events.next("disconnect");
    expect(push.peers).toHaveLength(0);
    expect(push.stats.outboundQueue).toBe(0);
    push.heartbeatInterval = 0; // it answers no PINGs either
    const next = await rawConnected(await push.bind("tcp://127.0.0.1:*"), { type: "PULL" });
    await push.send("fresh", { timeout: 20_000 });
    for (;;) {
      const frame = await next.readFrame();
      if (frame.command) continue;
      expect(frame.body.toString()).toBe("fresh");
      break;
    }
  });

  it("PINGs outstanding stay few while the peer does not answer (F17)", async () => {
    const { endpoint } = await boundPull({ heartbeatInterval: 20, heartbeatTimeout: 1000 });
    const peer = await rawConnected(endpoint, { type: "PUSH" });
    const rest = await peer.readToEnd();
    expect(rest.length).toBeGreaterThan(0);
    // 50 intervals pass; a PING has at most 25 bytes.
    expect(rest.length).toBeLessThanOrEqual(60 * 25);
  });

  it("heartbeats against libzmq keep an idle connection, both ways (F11)", async () => {
    const { pull, events, endpoint } = await boundPull({ heartbeatInterval: 40, heartbeatTimeout: 10_000 });
    const push = new zmq.Push({
      linger: 0,
      heartbeatInterval: 40,
      heartbeatTimeout: 10_000,
      heartbeatTimeToLive: 10_000,
    });
    push.connect(endpoint);
    await push.send("first");
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["first"]);
    // Ten heartbeats of ours to a raw peer tell that as many have gone to libzmq.
    const clock = await rawConnected(endpoint, { type: "PUSH" });
    for (let i = 0; i < 10; i++) {
      const { data } = await clock.readCommand();
      clock.write(command("PONG", data.subarray(2)));
    }
    await push.send("second");
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["second"]);
    expect(events.of("disconnect")).toHaveLength(0);
    push.close();
  });

  it("heartbeats on both sides of one zwire pair do not disturb messages (F13)", async () => {
    const options = { heartbeatInterval: 20, heartbeatTimeout: 10_000 };
    const { pull, endpoint } = await boundPull(options);
    const push = managed(new Push(options));
    push.connect(endpoint);
    const raw = await rawDial(endpoint);
    raw.write(greeting(), ready("PUSH"));
    for (let i = 0; i < 300; i++) {
      await push.send([`${i}`, "x".repeat(i)]);
      expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual([`${i}`, "x".repeat(i)]);
    }
  });
});
