/**
 * Hostile servers, of clients under PLAIN and CURVE, over real connections: every step of the handshake changed, and
 * what comes after it. Each time that connection closes, an event says why, and nothing reaches the application.
 */
import { describe, expect, it } from "vitest";
import { Pull, Push } from "../../../src/index.js";
import { managed, rawListen, record } from "../../support/helpers.js";
import { frame, greeting, message, ping, type RawPeer } from "../../support/raw-peer.js";
import { CurveServer, keyPair } from "../../support/scripted/curve.js";
import { flip, shake } from "../../support/scripted/script.js";
import { CLIENT, CURVE, PLAIN, SERVER } from "../../support/scripted/secured.js";
import {
  type Change,
  curveSpoils,
  LONG,
  longer,
  named,
  spoils,
  tampering,
} from "../../support/scripted/tampering.js";

/** What a server does to zwire's client. PLAIN protects nothing, so that some changes to READY pass for another READY. */
const WELCOMES: Record<string, Change[]> = {
  CURVE: [
    ...curveSpoils("WELCOME", [0, 1, 7, 8, 23, 24, 40, 100, 167]),
    ...curveSpoils("READY", [0, 1, 5, 6, 13, 14, 30, 49]).filter(([what]) => what !== "repeated"),
  ],
  PLAIN: [
    ...spoils("WELCOME").filter(([what]) => what !== "cut to its name"), // which is all that there is of it
    ["O2 an octet in it", "WELCOME", longer],
    ...spoils("READY").filter(([what]) => what !== "cut to its name" && what !== "repeated"),
  ],
};

describe.each([PLAIN, CURVE])("a $name client", (mechanism) => {
  async function dialled() {
    const listener = await rawListen();
    const push = managed(new Push({ ...mechanism.client, ...LONG }));
    const events = record(push);
    const sent = push.send("for the good server");
    push.connect(listener.endpoint);
    return { listener, events, sent };
  }

  it("leaves a server that changes WELCOME or READY, and tells it nothing of the application", async () => {
    const cases = WELCOMES[mechanism.name].filter(
      ([what, step]) => !(step === "READY" && what === "READY in its place"),
    );
    const attacked = async (change: Change) => {
      const what = `${change[1]}: ${change[0]}`;
      const { listener, events } = await dialled();
      const peer = await listener.accept();
      const script = mechanism.serverScript({ type: "PULL", tamper: tampering(change) });
      await refusedByClient(peer, script, what);
      expect((await events.next("handshake:error:")).error, what).toBeInstanceOf(Error);
      expect(events.of("handshake"), what).toHaveLength(0);
    };
    await Promise.all(cases.map(attacked));
  });

  it("keeps what it was to send for the good server that comes after a bad one", async () => {
    const { listener, sent } = await dialled();
    const bad = await listener.accept();
    const tamper = tampering(["", "READY", named("WELCOME")]);
    await refusedByClient(bad, mechanism.serverScript({ type: "PULL", tamper }), "");
    const good = await listener.accept();
    const script = mechanism.serverScript({ type: "PULL" });
    await shake(good, script);
    const outer = await good.readFrame();
    expect(String(script.open(outer.flags, outer.body).body)).toBe("for the good server");
    await sent;
  });
});

/** The client leaves; whatever it sent before must not be a message. */
async function refusedByClient(peer: RawPeer, script: ReturnType<typeof CURVE.serverScript>, what: string) {
  peer.write(greeting(script.greeting));
  const told: string[] = [];
  try {
    await peer.readGreeting();
    peer.write(script.begin());
    while (!script.done) peer.write(script.next((await peer.readFrame()).body));
    told.push((await peer.readFrame()).body.toString("latin1"));
  } catch {
    await peer.closed(); // or it is this that fails
  }
  expect(told, what).toEqual([]);
}

describe("a CURVE client", () => {
  it("leaves a server that has not the secret of the key it was told (P3)", async () => {
    const listener = await rawListen();
    const push = managed(new Push({ ...CURVE.client, ...LONG }));
    const events = record(push);
    push.connect(listener.endpoint);
    const peer = await listener.accept();
    peer.write(greeting({ mechanism: "CURVE", asServer: 1 }));
    await peer.readGreeting();
    const { body } = await peer.readFrame();
    const script = new CurveServer(keyPair(), { type: "PULL" });
    script.theirTransient = Buffer.from(body.subarray(80, 112)); // without opening what is not for it
    peer.write(script.say("WELCOME", script.welcome()));
    await peer.closed();
    await events.next("handshake:error:protocol");
    expect(events.of("handshake")).toHaveLength(0);
  });

  const forgeries: Array<(script: CurveServer) => Buffer> = [
    (script) => frame(script.message(0, "bad", 1n)),
    (script) => frame(script.message(0, "bad", 0n)),
    (script) => frame(flip(script.message(0, "bad"), 20)),
    () => message("bad"),
    () => ping(0, "x"),
  ];

  it("leaves a server that replays, reorders or forges a MESSAGE (P13, P14)", async () => {
    const attacked = async (forge: (script: CurveServer) => Buffer) => {
      const listener = await rawListen();
      const pull = managed(new Pull(CURVE.client));
      const events = record(pull);
      pull.connect(listener.endpoint);
      const peer = await listener.accept();
      const script = new CurveServer(SERVER, { type: "PUSH" });
      await shake(peer, script);
      peer.write(script.seal(0, "good"), forge(script), script.seal(0, "bad"));
      await peer.closed();
      expect(String((await pull.receive({ timeout: 5000 }))[0])).toBe("good");
      await events.next("handshake:error:protocol");
      expect(pull.tryReceive()).toBeUndefined();
    };
    await Promise.all(forgeries.map(attacked));
  });

  it("says another transient key in each connection (P17)", async () => {
    const listener = await rawListen();
    const push = managed(new Push({ ...CURVE.client, reconnectInterval: 1 }));
    push.connect(listener.endpoint);
    const keys = new Set<string>();
    for (let i = 0; i < 10; i++) {
      const peer = await listener.accept();
      peer.write(greeting({ mechanism: "CURVE" }));
      await peer.readGreeting();
      keys.add((await peer.readFrame()).body.toString("hex", 80, 112));
      peer.close();
    }
    expect(keys.size).toBe(10);
    expect(keys.has(CLIENT.publicKey.toString("hex"))).toBe(false);
  });
});
