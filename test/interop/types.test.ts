/**
 * Interop of the types beside the six of matrix.test.ts: zwire as each of them, over tcp and ipc, binding and dialling,
 * against libzmq through zeromq.js, drafts included, and for some types through pyzmq. Each cell moves thousands of
 * messages of 0 octets to 64 KiB, of several parts where the type has them, and compares every octet and the order.
 * Both ends play the roles of support/roles.mjs.
 */
import { afterAll, beforeAll, describe, it } from "vitest";
import { CELLS, label, runCell } from "../support/cells.js";
import { type PeerKind, PeerProcess } from "../support/peer-process.js";
import { findPython } from "../support/python.js";

const COUNT = 3000;

const python = findPython();
if (python.command === null) console.log(`interop with pyzmq is skipped: ${python.reason}`);

for (const kind of ["zeromq.js", "pyzmq"] as PeerKind[]) {
  describe.skipIf(kind === "pyzmq" && python.command === null)(`interop with ${kind}`, () => {
    let peer: PeerProcess;
    beforeAll(async () => {
      peer = await PeerProcess.start(kind);
    });
    afterAll(() => peer?.stop());

    const cells = kind === "pyzmq" ? CELLS.filter((cell) => cell.pyzmq) : CELLS;
    for (const transport of ["tcp", "ipc"] as const) {
      for (const verb of ["bind", "connect"] as const) {
        for (const cell of cells) {
          const what = verb === "bind" ? "binds" : "dials";
          it(`${label(cell)}: ${what} ${transport}, ${COUNT} messages, whole and in order`, async () => {
            await runCell(peer, cell, { transport, verb, count: COUNT });
          });
        }
      }
    }
  });
}
