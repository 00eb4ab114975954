/**
 * Interop of the types beside the six of matrix.test.ts: zwire as each of them, over tcp and ipc, binding and dialling,
 * against libzmq through zeromq.js, drafts included, and for some types through pyzmq. Each cell moves many
 * messages of 0 bytes to 64 KiB, of several parts where the type has them, and compares every byte and the order.
 * Both ends play the roles of support/roles.mjs.
 */
import { afterAll, beforeAll, describe, it } from "vitest";
import { CELLS, label, runCell } from "../cells.js";
import { type PeerKind, PeerProcess } from "../peer-process.js";
import { findPython } from "../python.js";

/** All cells as tests. @param count messages in each cell */
export function interopTypes(count: number): void {
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
            it(`${label(cell)}: ${what} ${transport}, ${count} messages, whole and in order`, async () => {
              await runCell(peer, cell, { transport, verb, count });
            });
          }
        }
      }
    });
  }
}
