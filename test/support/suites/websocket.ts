/**
 * Interop over ws: zwire as every type but STREAM, binding and dialling, against libzmq through zeromq.js, drafts
 * included, with NULL, PLAIN and CURVE. Each cell moves many messages of up to 64 KiB, one to 20 parts where the type has
 * them, and compares every byte and the order. (pyzmq's libzmq has no ws.)
 */
import { afterAll, beforeAll, describe, it } from "vitest";
import { BASIC_CELLS, CELLS, label, runCell } from "../cells.js";
import { PeerProcess } from "../peer-process.js";
import { CURVE, PLAIN } from "../scripted/secured.js";
import { inEachRole, RULES, rolesOf } from "../their-security.js";

const ALL_CELLS = [...BASIC_CELLS, ...CELLS].filter(({ ours }) => ours.type !== "STREAM");

/**
 * All cells as tests.
 * @param count messages in each cell
 * @param big with two messages of 16 MiB, where the type has parts
 */
export function interopWebSocket(count: number, big: boolean): void {
  describe("interop with libzmq over ws", () => {
    let peer: PeerProcess;
    beforeAll(async () => {
      peer = await PeerProcess.start("zeromq.js");
      await peer.zap(RULES);
    });
    afterAll(() => peer?.stop());

    for (const verb of ["bind", "connect"] as const) {
      for (const cell of ALL_CELLS) {
        const what = verb === "bind" ? "binds" : "dials";
        it(`${label(cell)}: ${what}, ${count} messages, whole and in order`, async () => {
          // One of the two large messages has three parts.
          await runCell(peer, cell, { transport: "ws", verb, count, big: big && cell.ours.single !== true });
        });
      }
    }

    describe.each([PLAIN, CURVE])("under $name", (mechanism) => {
      const roles = rolesOf(mechanism);
      for (const { role, verb, cell, title } of inEachRole(ALL_CELLS)) {
        it(`${title}, ${count} messages`, async () => {
          const { ours: ourOptions, theirs: theirOptions } = roles[role];
          await runCell(peer, cell, { transport: "ws", verb, count, ourOptions, theirOptions });
        });
      }
    });
  });
}
