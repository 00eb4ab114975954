/**
 * Hostile clients of a CURVE server over real connections: every step of the handshake changed, repeated, left out, cut
 * short, made longer or replayed, and what comes after it. Each time that one connection closes, an event says why,
 * nothing reaches the application, and a good peer beside it notices nothing.
 */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { besideGoodPeer, reason } from "../../support/good-peer.js";
import { rawDial, temporaryDirectory, until } from "../../support/helpers.js";
import { command, commandBody, frame, greeting, message, ping } from "../../support/raw-peer.js";
import { CurveClient, CurveServer, keyPair, random } from "../../support/scripted/curve.js";
import { flip, shake, type Tamper } from "../../support/scripted/script.js";
import { CLIENT, CURVE, SERVER } from "../../support/scripted/secured.js";
import { attack, curveSpoils, LONG, tampering } from "../../support/scripted/tampering.js";

function endpoints() {
  return [
    ["tcp", () => "tcp://127.0.0.1:*"],
    ["ipc", () => `ipc://${join(temporaryDirectory(), "s")}`],
  ] as const;
}

describe.each(endpoints())("a CURVE server over %s (P19)", (_, endpoint) => {
  it("refuses every changed HELLO and INITIATE", async () => {
    const rig = await besideGoodPeer({ ...CURVE.server, ...LONG }, CURVE.client, endpoint());
    const changes = [
      ...curveSpoils("HELLO", [0, 1, 5, 6, 7, 80, 105, 112, 113, 150, 199]),
      ...curveSpoils("INITIATE", [0, 8, 9, 24, 104, 105, 112, 113, 150, 250, 276]),
    ];
    let failures = 0;
    for (const change of changes) {
      const peer = await rawDial(rig.endpoint);
      const script = new CurveClient(SERVER.publicKey, { type: "PUSH", tamper: tampering(change) }, CLIENT);
      const { type } = await attack(rig, peer, script, ++failures, `${change[1]}: ${change[0]}`);
      expect(type, `${change[1]}: ${change[0]}`).toBe("handshake:error:protocol");
    }
    await rig.unharmed();
  });
});

describe("a CURVE server", () => {
  const type = "PUSH";
  const client = () => new CurveClient(SERVER.publicKey, { type }, CLIENT);

  it("refuses wrong keys: the server's, the client's, and a vouch of somebody else (P2, P6)", async () => {
    const rig = await besideGoodPeer({ ...CURVE.server, ...LONG }, CURVE.client);
    const wrong: Array<[what: string, script: CurveClient]> = [
      ["another server's key", new CurveClient(keyPair().publicKey, { type })],
      ["a key of zeros", new CurveClient(Buffer.alloc(32, 9), { type })],
    ];
    const impostor = client();
    impostor.keys = { publicKey: CLIENT.publicKey, secretKey: keyPair().secretKey };
    wrong.push(["a client's key without its secret", impostor]);
    const borrowed = client();
    const other = client();
    // A vouch that C gave for another connection (another C').
    borrowed.vouch = () => {
      other.theirTransient = borrowed.theirTransient;
      return other.vouch();
    };
    wrong.push(["a vouch for another transient key", borrowed]);
    const elsewhere = client();
    const vouch = elsewhere.vouch.bind(elsewhere);
    // A vouch that C gave to another server: what a malicious server can pass on.
    elsewhere.vouch = () => {
      elsewhere.serverKey = keyPair().publicKey;
      return vouch();
    };
    wrong.push(["a vouch for another server", elsewhere]);
    for (const [i, [what, script]] of wrong.entries()) {
      await attack(rig, await rawDial(rig.endpoint), script, i + 1, what);
    }
    await rig.unharmed();
  });

  it("refuses a replayed INITIATE: of another connection, and of another client (P12, P4)", async () => {
    const rig = await besideGoodPeer({ ...CURVE.server, ...LONG }, CURVE.client);
    const recorded = new Map<string, Buffer>();
    const recording = new CurveClient(
      SERVER.publicKey,
      {
        type,
        tamper: (step, octets) => {
          recorded.set(step, octets);
          return octets;
        },
      },
      CLIENT,
    );
    const first = await rawDial(rig.endpoint);
    await shake(first, recording);
    // The whole of it again, word for word.
    const second = await rawDial(rig.endpoint);
    second.write(greeting(recording.greeting), recorded.get("HELLO")!, recorded.get("INITIATE")!);
    await second.closed();
    await reason(rig.events, 1);
    // Behind a HELLO of its own.
    const third = await rawDial(rig.endpoint);
    const tamper: Tamper = (step, octets) => (step === "INITIATE" ? recorded.get(step)! : octets);
    await attack(rig, third, new CurveClient(SERVER.publicKey, { type, tamper }, CLIENT), 2, "third");
    // In the same connection, once more: the first one is lost by it.
    first.write(recorded.get("INITIATE")!);
    await first.closed();
    await reason(rig.events, 3);
    expect(rig.state.foreign).toBe(0);
    await rig.unharmed();
  });

  it("refuses steps left out or out of order", async () => {
    const rig = await besideGoodPeer({ ...CURVE.server, ...LONG }, CURVE.client);
    const orders: Array<[what: string, octets: (script: CurveClient) => Buffer]> = [
      ["INITIATE without HELLO", (script) => script.say("INITIATE", random(250))],
      ["MESSAGE without HELLO", () => frame(commandBody("MESSAGE", random(40)))],
      ["READY from a client", () => command("READY", random(60))],
      ["WELCOME from a client", () => command("WELCOME", random(160))],
      ["a message in the clear", () => message("foreign")],
      ["MESSAGE after HELLO", (script) => Buffer.concat([script.begin(), message("foreign")])],
    ];
    for (const [i, [what, octets]] of orders.entries()) {
      const peer = await rawDial(rig.endpoint);
      const script = client();
      peer.write(greeting(script.greeting), octets(script));
      await peer.closed();
      await reason(rig.events, i + 1);
      expect(rig.state.foreign, what).toBe(0);
    }
    await rig.unharmed();
  });

  it("an ERROR from the client closes (D2)", async () => {
    const rig = await besideGoodPeer({ ...CURVE.server, ...LONG }, CURVE.client);
    const peer = await rawDial(rig.endpoint);
    peer.write(greeting(client().greeting), command("ERROR", "\x03400"));
    await peer.closed();
    await reason(rig.events, 1);
    await rig.unharmed();
  });

  /** What an attacker in the middle, or a wrong peer, may do after the handshake. Good bytes come first. */
  const after: Array<[what: string, octets: (script: CurveClient) => Buffer, delivered: number]> = [
    [
      "CVE-2014-7203 a MESSAGE replayed",
      (script) => {
        const first = script.seal(0, "foreign");
        return Buffer.concat([first, first]);
      },
      1,
    ],
    [
      "CVE-2014-7203 an older MESSAGE replayed",
      (script) => {
        const first = script.seal(0, "foreign");
        return Buffer.concat([first, script.seal(0, "foreign"), first]);
      },
      2,
    ],
    [
      "CVE-2014-7203 MESSAGEs reordered",
      (script) => {
        const first = script.seal(0, "foreign");
        return Buffer.concat([script.seal(0, "foreign"), first]);
      },
      1,
    ],
    ["nonce 0", (script) => frame(script.message(0, "foreign", 0n)), 0],
    ["a nonce of the handshake again", (script) => frame(script.message(0, "foreign", 2n)), 0],
    [
      "a nonce after 2^64 - 1: it has wrapped",
      (script) =>
        Buffer.concat([
          frame(script.message(0, "foreign", 2n ** 64n - 1n)),
          frame(script.message(0, "foreign", 0n)),
        ]),
      1,
    ],
    [
      "2^64 - 1 twice",
      (script) => {
        const last = frame(script.message(0, "foreign", 2n ** 64n - 1n));
        return Buffer.concat([last, last]);
      },
      1,
    ],
    [
      "another key",
      (script) => {
        script.transient = keyPair();
        return script.seal(0, "foreign");
      },
      0,
    ],
    ["a message in the clear", () => message("foreign"), 0],
    ["a PING in the clear", () => ping(0, "x"), 0],
    ["SUBSCRIBE in the clear", () => command("SUBSCRIBE", "foreign"), 0],
    ["an empty frame", () => frame(""), 0],
    ["an empty MESSAGE", () => frame(commandBody("MESSAGE")), 0],
    ["MESSAGE with a nonce alone", () => frame(commandBody("MESSAGE", Buffer.alloc(8, 255))), 0],
    ["MESSAGE of 32 octets", () => frame(commandBody("MESSAGE", Buffer.alloc(24, 255))), 0],
    ["MESSAGE of random octets", () => frame(commandBody("MESSAGE", random(100))), 0],
    ["MESSAGE longer by an octet", (script) => frame(Buffer.concat([script.message(0, "x"), random(1)])), 0],
    ["MESSAGE cut by an octet", (script) => frame(script.message(0, "foreign").subarray(0, -1)), 0],
    ["MESSAGF", (script) => frame(flip(script.message(0, "foreign"), 7, 1)), 0],
    ["the server's own MESSAGE sent back", (script) => ownWords(script), 0],
    ["HELLO once more", (script) => script.begin(), 0],
    [
      "a box of 64 KiB cut short",
      (script) => frame(script.message(0, "x".repeat(65_536)).subarray(0, -1)),
      0,
    ],
  ];

  /** A box under the same keys, but with the prefix of the other direction. */
  function ownWords(script: CurveClient): Buffer {
    const mirror = new CurveServer(SERVER, { type: "PULL" });
    mirror.transient = script.transient;
    mirror.theirTransient = script.theirTransient;
    return frame(mirror.message(0, "foreign", 100n));
  }

  it.each(after)("closes at %s (P13, P14)", async (_, octets, delivered) => {
    const rig = await besideGoodPeer({ ...CURVE.server, handshakeInterval: 400 }, CURVE.client);
    const peer = await rawDial(rig.endpoint);
    const script = client();
    await shake(peer, script);
    peer.write(octets(script), script.seal(0, "foreign"));
    await peer.closed();
    const event = await reason(rig.events, 1);
    expect(event.type).toBe("handshake:error:protocol");
    expect(event.peer!.socketType).toBe("PUSH");
    await until(() => rig.state.foreign >= delivered, `${delivered} messages before that`);
    expect(rig.state.foreign).toBe(delivered);
    await rig.unharmed();
    expect(rig.state.foreign).toBe(delivered);
  });

  it("closes at any flipped octet of a MESSAGE", async () => {
    const rig = await besideGoodPeer({ ...CURVE.server, handshakeInterval: 400 }, CURVE.client);
    for (let at = 0; at < 33 + "foreign".length; at++) {
      const peer = await rawDial(rig.endpoint);
      const script = client();
      await shake(peer, script);
      peer.write(frame(flip(script.message(0, "foreign"), at)));
      await peer.closed();
      await reason(rig.events, at + 1);
    }
    expect(rig.state.foreign).toBe(0);
    await rig.unharmed();
  });

  it("gaps between nonces are allowed, up to the last one (P13)", async () => {
    const rig = await besideGoodPeer({ ...CURVE.server, handshakeInterval: 400 }, CURVE.client);
    const peer = await rawDial(rig.endpoint);
    const script = client();
    await shake(peer, script);
    for (const value of [3n, 5n, 2n ** 32n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
      peer.write(frame(script.message(0, "foreign", value)));
    }
    await until(() => rig.state.foreign === 7, "all of them come");
    await rig.unharmed();
  });

  it("nothing of a message is delivered whose second part is forged (E9)", async () => {
    const rig = await besideGoodPeer({ ...CURVE.server, handshakeInterval: 400 }, CURVE.client);
    const peer = await rawDial(rig.endpoint);
    const script = client();
    await shake(peer, script);
    peer.write(script.seal(1, "foreign"), frame(flip(script.message(0, "foreign"), 30)));
    await peer.closed();
    await reason(rig.events, 1);
    await rig.unharmed();
    expect(rig.state.foreign).toBe(0);
  });
});
