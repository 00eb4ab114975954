/**
 * Bad handshakes in a row leave memory flat and a good peer served. ZWIRE_BAD_HANDSHAKES sets their number; a hundred
 * thousand take minutes, and the default is enough to see a leak of a kilobyte for each.
 */
import { expect, it } from "vitest";
import { besideGoodPeer } from "../support/good-peer.js";
import { until } from "../support/helpers.js";
import { command, frame, greeting, type RawPeer } from "../support/raw-peer.js";
import { CurveClient, keyPair, random } from "../support/scripted/curve.js";
import { flip, shake } from "../support/scripted/script.js";
import { CLIENT, CURVE, dialFromAnywhere, SERVER } from "../support/scripted/secured.js";

const TOTAL = Number(process.env.ZWIRE_BAD_HANDSHAKES ?? 1500);
const AT_ONCE = 50;
/** Bytes that may be held more than before, whatever their number. */
const FLAT = 6 * 1024 ** 2;
/** Bytes that the resident set may grow by: what is free again need not have gone back to the system. */
const RESIDENT_FLAT = 64 * 1024 ** 2;

const client = (options: object = {}) =>
  new CurveClient(SERVER.publicKey, { type: "PUSH", ...options }, CLIENT);
const stranger = keyPair().publicKey;
const hello = greeting({ mechanism: "CURVE" });

/** What bad peers do; each ends its connection or has it ended. */
const BAD: Array<(peer: RawPeer) => Promise<void>> = [
  async (peer) => {
    peer.write(hello, random(300));
    await peer.closed();
  },
  async (peer) => {
    peer.write(hello, new CurveClient(stranger, { type: "PUSH" }).begin());
    await peer.closed();
  },
  async (peer) => {
    const tamper = (step: string, octets: Buffer) => (step === "INITIATE" ? flip(octets, 100) : octets);
    await shake(peer, client({ tamper })).catch(() => {});
  },
  async (peer) => {
    peer.write(hello, client().begin());
    await peer.readGreeting();
    await peer.readFrame(); // WELCOME, and it leaves
  },
  async (peer) => {
    peer.write(greeting(), command("READY"));
    await peer.closed();
  },
  async (peer) => {
    const script = client();
    await shake(peer, script);
    peer.write(frame(flip(script.message(0, "foreign"), 30)));
    await peer.closed();
  },
];

it(`${TOTAL} bad handshakes leave memory flat and a good peer served (P19)`, {
  timeout: 60_000 + TOTAL * 20,
}, async () => {
  const rig = await besideGoodPeer({ ...CURVE.server, handshakeInterval: 20_000 }, CURVE.client);
  let done = 0;
  const run = async (upTo: number) => {
    const one = async () => {
      while (done < upTo) {
        const bad = BAD[done++ % BAD.length];
        const peer = await dialFromAnywhere(rig.endpoint);
        await bad(peer);
        if (peer.ended) peer.close();
        else peer.reset(); // Node keeps the descriptor of a socket that is ended already and then reset
        rig.events.events.length = 0; // the record is the test's own memory
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
    globalThis.gc!();
    await new Promise((resolve) => setTimeout(resolve, 50)); // by the clock: freed memory goes back in another thread
    globalThis.gc!();
    const { heapUsed, external, rss } = process.memoryUsage();
    return { held: heapUsed + external, rss };
  };
  const settled = await run(Math.floor(TOTAL / 3));
  const served = rig.state.received;
  const began = performance.now();
  const after = await run(TOTAL);
  const seconds = (performance.now() - began) / 1000;
  const figures = [
    `${Math.round(TOTAL - TOTAL / 3)} bad handshakes in ${seconds.toFixed(1)} s`,
    `what is held went from ${mib(settled.held)} to ${mib(after.held)} MiB`,
    `the resident set from ${mib(settled.rss)} to ${mib(after.rss)} MiB`,
    `the good peer sent ${rig.state.received - served} messages`,
  ];
  if (process.env.ZWIRE_BAD_HANDSHAKES !== undefined) console.log(figures.join("; "));
  expect(after.held - settled.held).toBeLessThan(FLAT);
  expect(after.rss - settled.rss).toBeLessThan(RESIDENT_FLAT);
  expect(rig.state.received).toBeGreaterThan(served);
  expect(rig.state.foreign).toBe(0);
  await until(() => rig.pull.peers.length === 1, "only the good peer is left");
  await rig.unharmed();
});

function mib(octets: number): string {
  return (octets / 1024 ** 2).toFixed(1);
}
