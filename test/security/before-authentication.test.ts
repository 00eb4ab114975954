/**
 * What a server takes from a peer that has not proved anything yet (CVE-2019-13132, CVE-2020-15166): commands and
 * metadata of any length and shape, and silence at any step. Each in its turn closes or waits; nobody else notices.
 */
import { describe, expect, it } from "vitest";
import * as zwire from "../../src/index.js";
import { Pull, Push } from "../../src/index.js";
import { besideGoodPeer, reason } from "../support/good-peer.js";
import { managed, rawDial, record, texts, until } from "../support/helpers.js";
import { command, frame, greeting, metadata, type RawPeer } from "../support/raw-peer.js";
import { CurveClient, random } from "../support/scripted/curve.js";
import { flip, say, shake } from "../support/scripted/script.js";
import { CLIENT, CURVE, MECHANISMS, NULL, PLAIN, refused, SERVER } from "../support/scripted/secured.js";

/** Lengths around those of the commands, and around sizes that a buffer may have. */
const LENGTHS = [
  0, 1, 5, 6, 7, 8, 31, 32, 33, 64, 104, 127, 128, 194, 199, 201, 255, 256, 257, 287, 288,
].concat(
  [9, 10, 11, 12, 13, 15].flatMap((bits) => [2 ** bits - 1, 2 ** bits, 2 ** bits + 1]),
  [65_500, 65_536, 100_000, 1_000_000],
);

describe.each([PLAIN, CURVE])("CVE-2019-13132: a $name server before authentication", (mechanism) => {
  it.each(["HELLO", "INITIATE", "READY", "", "\xff\xff\xff\xff"])(
    "a first command named %j of any length closes, and no more",
    async (name) => {
      const rig = await besideGoodPeer({ ...mechanism.server, handshakeInterval: 20_000 }, mechanism.client);
      for (const [i, length] of LENGTHS.entries()) {
        const bad = await rawDial(rig.endpoint);
        const octets = i % 2 === 0 ? random(length) : Buffer.alloc(length, 0x41);
        bad.write(greeting({ mechanism: mechanism.name }), command(name, octets));
        await bad.closed();
        await reason(rig.events, i + 1);
      }
      expect(rig.state.foreign).toBe(0);
      await rig.unharmed();
    },
  );

  it("INITIATE with any metadata that is none closes; a long one that is in order does not", async () => {
    const rig = await besideGoodPeer({ ...mechanism.server, handshakeInterval: 20_000 }, mechanism.client);
    const type = metadata([["Socket-Type", "PUSH"]]);
    const bad: Buffer[] = [
      Buffer.of(1),
      Buffer.of(0),
      Buffer.concat([type, Buffer.of(255)]),
      Buffer.concat([type, Buffer.from("\x05X-abc", "latin1")]),
      Buffer.concat([type, Buffer.from("\x03X-a\xff\xff\xff\xff", "latin1")]),
      Buffer.concat([type, Buffer.from("\x03X-a\x7f\xff\xff\xff", "latin1")]),
      Buffer.concat([type, Buffer.from("\x03X-a\0\0\0\x05four", "latin1")]),
      Buffer.concat([type, Buffer.alloc(5)]), // a name of no bytes (C19)
      metadata([["Socket-Type", "PULL"]]),
      metadata([["Socket-Type", "push"]]),
      metadata([["Socket-Type", Buffer.alloc(50_000, 0x50)]]),
      Buffer.concat([type, metadata(Array.from({ length: 64 }, (_, i) => [`X-${i}`, "v"]))]),
      random(1000),
      Buffer.alloc(60_000, 0x41),
      Buffer.alloc(60_000),
    ];
    for (const [i, octets] of bad.entries()) {
      const peer = await rawDial(rig.endpoint);
      const script = mechanism.clientScript({ type: "PUSH", metadata: octets });
      if (!(await refused(peer, script))) await peer.closed();
      await reason(rig.events, i + 1);
    }
    for (const value of [1000, 8192, 60_000]) {
      const peer = await rawDial(rig.endpoint);
      const properties = [["X-Long", Buffer.alloc(value, 1)]] as const;
      const script = mechanism.clientScript({ type: "PUSH", properties });
      await shake(peer, script);
      say(peer, script, "foreign");
    }
    await until(() => rig.state.foreign === 3, "peers with long metadata are heard");
    await rig.unharmed();
  });
});

describe("CVE-2019-13132: a CURVE server", () => {
  it("INITIATE of every length from none to 600 closes", async () => {
    const rig = await besideGoodPeer({ ...CURVE.server, handshakeInterval: 20_000 }, CURVE.client);
    let failures = 0;
    for (let length = 0; length <= 600; length += 1 + (length % 23)) {
      const peer = await rawDial(rig.endpoint);
      const tamper = (step: string, octets: Buffer, body: Buffer) => {
        // As it is, then a flipped byte at its end instead.
        const whole = length === body.length ? flip(body, length - 1) : Buffer.concat([body, random(400)]);
        return step === "INITIATE" ? frame(whole.subarray(0, length), { command: true }) : octets;
      };
      const script = new CurveClient(SERVER.publicKey, { type: "PUSH", tamper }, CLIENT);
      expect(await refused(peer, script), `${length} octets`).toBe(true);
      await reason(rig.events, ++failures);
    }
    await rig.unharmed();
  });
});

/** Stops after a number of steps, and stays. */
async function stopAfter(peer: RawPeer, script: ReturnType<typeof CURVE.clientScript>, steps: number) {
  if (steps === 0) return;
  peer.write(greeting(script.greeting));
  await peer.readGreeting();
  if (steps === 1) return;
  peer.write(script.begin());
  const { body } = await peer.readFrame();
  if (steps === 3) peer.write(script.next(body).subarray(0, 20)); // of INITIATE
}

describe.each([PLAIN, CURVE])("CVE-2020-15166: a $name server", ({ server, client, clientScript }) => {
  it.each([0, 1, 2, 3])("is not held up by one that stops after step %i", async (steps) => {
    for (const [Type, Partner] of [
      [zwire.Push, zwire.Pull],
      [zwire.Dealer, zwire.Dealer],
      [zwire.Pair, zwire.Pair],
    ] as const) {
      const socket = managed(new Type({ ...server, sendTimeout: 5000 }));
      const endpoint = await socket.bind("tcp://127.0.0.1:*");
      const silent = await rawDial(endpoint);
      await stopAfter(silent, clientScript({ type: "PULL" }), steps);
      const good = managed(new Partner(client));
      good.connect(endpoint);
      for (let i = 0; i < 20; i++) {
        await socket.send(`message ${i}`);
        expect(texts(await good.receive({ timeout: 5000 }))).toEqual([`message ${i}`]);
      }
      expect(silent.ended).toBe(false);
    }
  });
});

describe("CVE-2020-15166: an authenticator that does not answer", () => {
  it("holds up only the peer that it was asked about, and the handshake's time ends that (Q12)", async () => {
    const endings: string[] = [];
    const pull = managed(
      new Pull({
        plainServer: true,
        handshakeInterval: 1500,
        authenticate: (request: { username: string }, signal?: AbortSignal) => {
          if (request.username === "good") return true;
          return new Promise<boolean>(() => {
            signal?.addEventListener("abort", () => endings.push(request.username));
          });
        },
      } as object),
    );
    const events = record(pull);
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    for (let i = 0; i < 20; i++) {
      managed(
        new Push({ plainUsername: `slow ${i}`, plainPassword: "p", reconnectInterval: 0 } as object),
      ).connect(endpoint);
    }
    const good = managed(new Push({ plainUsername: "good", plainPassword: "p" } as object));
    good.connect(endpoint);
    await good.send("here");
    expect(texts(await pull.receive({ timeout: 5000 }))).toEqual(["here"]);
    await events.next("handshake:error:", 20);
    expect(events.of("handshake")).toHaveLength(1);
  });
});

describe("the limits are the same under every mechanism", () => {
  it.each(MECHANISMS)("$name: a stalled handshake ends in time (A25, S7)", async (mechanism) => {
    const rig = await besideGoodPeer({ ...mechanism.server, handshakeInterval: 400 }, mechanism.client);
    const stops = mechanism === NULL ? [0, 1] : [0, 1, 2, 3];
    const stalled = async (steps: number) => {
      const peer = await rawDial(rig.endpoint);
      await stopAfter(peer, mechanism.clientScript({ type: "PUSH" }), steps);
      await peer.closed();
      const { error } = await reason(rig.events, steps + 1);
      expect(error!.code).toBe("handshake-timeout");
    };
    await Promise.all(stops.map(stalled));
    await rig.unharmed();
  });
});
