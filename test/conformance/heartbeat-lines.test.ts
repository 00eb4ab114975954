/**
 * Section F on lines that are slow, with peers that are old, and where nobody has asked for heartbeats. What takes minutes
 * is shown on a clock of our own: timers are simulated, connections are real.
 */
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Dealer, Pull, Push } from "../../src/index.js";
import { Authority } from "../support/certificates.js";
import { managed, rawConnected, rawDial, record, texts } from "../support/helpers.js";
import { command, message } from "../support/raw-peer.js";
import { SlowRelay } from "../support/slow-relay.js";

/** Nothing of zwire's fires from now on but by `pass`. */
function simulatedTime(): { pass(ms: number): Promise<void> } {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  return {
    async pass(ms) {
      for (let left = ms; left > 0; left -= 1000) {
        vi.advanceTimersByTime(Math.min(left, 1000));
        for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

const authority = new Authority();
const { cert, key } = authority.issue();
const LINES = [
  { scheme: "tcp", secured: {} },
  { scheme: "tls+tcp", secured: { tls: { cert, key, ca: authority.cert } } },
];

describe.each(LINES)("a slow line over $scheme", ({ scheme, secured }) => {
  const HEARTBEAT = { heartbeatInterval: 400 };
  const SIZE = 9_000_000;
  const SPEED = 6_000_000;

  it("a message that takes longer than heartbeats do arrives: its octets are life (F12)", async () => {
    const pull = managed(new Pull({ ...HEARTBEAT, ...secured }));
    const events = record(pull);
    const relay = await SlowRelay.start(await pull.bind(`${scheme}://127.0.0.1:*`), SPEED);
    const push = managed(new Push({ heartbeatInterval: 0, ...secured }));
    push.connect(relay.endpoint.replace("tcp", scheme));
    await push.send(Buffer.alloc(SIZE, 1));
    const [body] = await pull.receive({ timeout: 20_000 });
    expect(body.length).toBe(SIZE);
    expect(events.of("disconnect")).toHaveLength(0);
  });

  it("a PING behind such a message is not answered late: it left late (F11)", async () => {
    const pull = managed(new Pull({ heartbeatInterval: 0, ...secured }));
    const relay = await SlowRelay.start(await pull.bind(`${scheme}://127.0.0.1:*`), SPEED);
    const push = managed(new Push({ ...HEARTBEAT, ...secured }));
    const events = record(push);
    push.connect(relay.endpoint.replace("tcp", scheme));
    await push.send(Buffer.alloc(SIZE, 1));
    const [body] = await pull.receive({ timeout: 20_000 });
    expect(body.length).toBe(SIZE);
    expect(events.of("disconnect")).toHaveLength(0);
  });
});

describe("a peer that announced ZMTP 3.0 (F14)", () => {
  const HEARTBEAT = { heartbeatInterval: 40, heartbeatTimeout: 60 };

  it("keeps its connection though it knows no PING", async () => {
    const pull = managed(new Pull(HEARTBEAT));
    const events = record(pull);
    const peer = await rawDial(await pull.bind("tcp://127.0.0.1:*"));
    await peer.handshake({ type: "PUSH", minor: 0 });
    expect((await peer.readCommand()).name).toBe("PING");
    // Another that answers counts the time: it has had ten intervals.
    const clock = await rawConnected(pull.lastEndpoint as string, { type: "PUSH" });
    for (let i = 0; i < 10; i++) {
      const { data } = await clock.readCommand();
      clock.write(command("PONG", data.subarray(2)));
    }
    peer.write(message("still here"));
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["still here"]);
    expect(events.of("disconnect")).toHaveLength(0);
  });

  it("is given up for its silence once it has answered a PING", async () => {
    const pull = managed(new Pull(HEARTBEAT));
    const events = record(pull);
    const peer = await rawDial(await pull.bind("tcp://127.0.0.1:*"));
    await peer.handshake({ type: "PUSH", minor: 0 });
    const { data } = await peer.readCommand();
    peer.write(command("PONG", data.subarray(2)));
    expect((await events.next("disconnect")).error).toMatchObject({ code: "heartbeat-timeout" });
  });

  it("a peer of 3.1 is given up without that", async () => {
    const pull = managed(new Pull(HEARTBEAT));
    const events = record(pull);
    await rawConnected(await pull.bind("tcp://127.0.0.1:*"), { type: "PUSH" });
    expect((await events.next("disconnect")).error).toMatchObject({ code: "heartbeat-timeout" });
  });
});

describe("heartbeats that nobody has asked for", () => {
  it("a tcp peer that is gone without a word is found out, and one that answers stays", async () => {
    const time = simulatedTime();
    const pull = managed(new Pull());
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    const events = record(pull);
    const silent = await rawConnected(endpoint, { type: "PUSH" });
    const good = managed(new Push({ heartbeatInterval: 0 }));
    good.connect(endpoint);
    await pull.connected({ count: 2 });
    await time.pass(29_000);
    expect(silent.buffered).toBe(0);
    await time.pass(2000);
    expect((await silent.readCommand()).name).toBe("PING");
    await time.pass(110_000);
    expect(pull.peers).toHaveLength(2);
    await time.pass(15_000);
    expect(pull.peers).toHaveLength(1);
    expect(events.of("disconnect")[0].error).toMatchObject({ code: "heartbeat-timeout" });
    await time.pass(400_000);
    expect(pull.peers).toHaveLength(1);
  });

  it("none go to a peer of ZMTP 3.0, which may take them for messages, nor over ipc", async () => {
    const time = simulatedTime();
    const pull = managed(new Pull());
    const old = await rawDial(await pull.bind("tcp://127.0.0.1:*"));
    await old.handshake({ type: "PUSH", minor: 0 });
    const near = await rawConnected(await pull.bind("ipc://*"), { type: "PUSH" });
    await time.pass(400_000);
    expect(pull.peers).toHaveLength(2);
    expect(old.buffered + near.buffered).toBe(0);
  });

  it("0 turns them off", async () => {
    const time = simulatedTime();
    const dealer = managed(new Dealer({ heartbeatInterval: 0 }));
    const peer = await rawConnected(await dealer.bind("tcp://127.0.0.1:*"), { type: "DEALER" });
    await time.pass(400_000);
    expect(dealer.peers).toHaveLength(1);
    expect(peer.buffered).toBe(0);
  });
});
