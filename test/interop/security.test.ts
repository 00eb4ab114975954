/**
 * Interop under PLAIN and CURVE with libzmq, through zeromq.js and pyzmq: every pair of types, the server's role on
 * either side, binding and dialling, with heartbeats all the while; parts of 16 MiB; and who refuses whom.
 * ZWIRE_INTEROP_COUNT sets the messages of a cell.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Pull, Push } from "../../src/index.js";
import { BASIC_CELLS, CELLS, runCell } from "../support/cells.js";
import { managed, record, texts } from "../support/helpers.js";
import { type PeerKind, type PeerOptions, PeerProcess } from "../support/peer-process.js";
import { findPython } from "../support/python.js";
import { keyPair } from "../support/scripted/curve.js";
import { CURVE, PLAIN } from "../support/scripted/secured.js";
import { z85 } from "../support/scripted/z85.js";
import { clientKeys, inEachRole, RULES, rolesOf, THEIRS } from "../support/their-security.js";

const COUNT = Number(process.env.ZWIRE_INTEROP_COUNT ?? 100);
/** A PING every few messages, and nobody is lost for being slow. */
const beating = { heartbeatInterval: 20, heartbeatTimeout: 20_000 };

/** libzmq's DISH takes a PING or a PONG for a message without a group, and hangs up. */
const beats = (type: string) => (type === "DISH" ? {} : beating);

const python = findPython();
if (python.command === null) console.log(`interop with pyzmq is skipped: ${python.reason}`);

for (const kind of ["zeromq.js", "pyzmq"] as PeerKind[]) {
  describe.skipIf(kind === "pyzmq" && python.command === null)(`interop with ${kind}`, () => {
    let peer: PeerProcess;
    beforeAll(async () => {
      peer = await PeerProcess.start(kind);
      await peer.zap(RULES);
    });
    afterAll(() => peer?.stop());

    // A STREAM speaks no ZMTP.
    const all = [...BASIC_CELLS, ...CELLS].filter((cell) => cell.ours.type !== "STREAM");
    const cells = kind === "pyzmq" ? all.filter((cell) => cell.pyzmq) : all;

    describe.each([PLAIN, CURVE])("under $name", (mechanism) => {
      const roles = rolesOf(mechanism);
      for (const { role, verb, cell, title } of inEachRole(cells)) {
        it(`${title}, ${COUNT} messages with heartbeats (B5)`, async () => {
          await runCell(peer, cell, {
            transport: "tcp",
            verb,
            count: COUNT,
            ourOptions: { ...roles[role].ours, ...beats(cell.theirs.type) },
            theirOptions: { ...roles[role].theirs, ...beats(cell.theirs.type) },
          });
        });
      }

      it.each([
        ["server", "tcp"],
        ["client", "ipc"],
      ] as const)("parts of 16 MiB, as %s over %s", async (role, transport) => {
        const { ours, theirs } = roles[role];
        const options = { transport, ourOptions: ours, theirOptions: theirs };
        for (const cell of BASIC_CELLS.slice(0, 2)) {
          await runCell(peer, cell, { verb: "bind", count: 5, big: true, ...options });
        }
      });
    });

    it("libzmq refuses a wrong password: an event says so (O6, O7, Q9)", async () => {
      const push = managed(new Push({ plainUsername: "user", plainPassword: "guess" }));
      const job = await peer.run({
        type: "PULL",
        role: "receive",
        verb: "bind",
        endpoint: "tcp://127.0.0.1:*",
        options: THEIRS.PLAIN.server,
        count: 1,
        seed: 1,
      });
      const events = record(push);
      push.connect(job.endpoint);
      const { error } = await events.next("handshake:error:auth");
      expect(error!.message).toMatch(/400|refused/);
      expect(events.of("handshake")).toHaveLength(0);
    });

    it("libzmq refuses a key that it does not know: an event says so (P15, Q9)", async () => {
      const stranger = keyPair();
      const push = managed(
        new Push({
          ...CURVE.client,
          curvePublicKey: z85(stranger.publicKey),
          curveSecretKey: z85(stranger.secretKey),
        }),
      );
      const job = await peer.run({
        type: "PULL",
        role: "receive",
        verb: "bind",
        endpoint: "tcp://127.0.0.1:*",
        options: THEIRS.CURVE.server,
        count: 1,
        seed: 1,
      });
      const events = record(push);
      push.connect(job.endpoint);
      const { error } = await events.next("handshake:error:auth");
      expect(error!.message).toMatch(/400/);
      expect(events.of("handshake")).toHaveLength(0);
    });

    it.each([
      ["PLAIN, a wrong password", PLAIN.server, { plainUsername: "user", plainPassword: "guess" }],
      ["PLAIN, from a client of CURVE", PLAIN.server, THEIRS.CURVE.client],
      ["PLAIN, from a client without any", PLAIN.server, {}],
      [
        "CURVE, another server's key",
        CURVE.server,
        { curveServerKey: z85(keyPair().publicKey), ...clientKeys },
      ],
      ["CURVE, from a client of PLAIN", CURVE.server, THEIRS.PLAIN.client],
      ["CURVE, from a client without any", CURVE.server, {}],
    ])("zwire refuses a libzmq client: %s (P2, O6, B8)", async (_, ours, theirs) => {
      const pull = managed(new Pull(ours));
      const events = record(pull);
      const endpoint = await pull.bind("tcp://127.0.0.1:*");
      const good = managed(new Push("plainServer" in ours ? PLAIN.client : CURVE.client));
      good.connect(endpoint);
      await peer.run({
        type: "PUSH",
        role: "send",
        verb: "connect",
        endpoint,
        options: { ...theirs, linger: 0 } as PeerOptions,
        count: 1,
        seed: 1,
      });
      await events.next("handshake:error:");
      await good.send("from the good one");
      expect(texts(await pull.receive({ timeout: 5000 }))).toEqual(["from the good one"]);
      expect(events.of("handshake")).toHaveLength(1);
    });
  });
}
