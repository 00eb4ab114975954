/** A failed assertion ends the connection in which it is found, and says that it is a bug of zwire. */
import { expect, it, vi } from "vitest";
import { AssertionError, assert } from "../../src/base/assert.js";
import { type Row, rowOf, type Table } from "../../src/base/machine.js";
import { Runtime, systemRuntime } from "../../src/base/runtime.js";
import { Context, Pull, Push } from "../../src/index.js";
import { registerTransport } from "../../src/transport/registry.js";
import { Dice } from "../sim/dice.js";
import { SimulatedNetwork } from "../sim/network.js";
import { SimulatedWorld } from "../sim/world.js";

it("assert lets pass what is true, and asks to report what is not", () => {
  assert(true, "nothing is wrong");
  expect(() => assert(false, "a pipe has two heads")).toThrow(
    "this is a bug of zwire, please report it with this text: a pipe has two heads",
  );
});

it("an event that cannot come in a state fails an assertion", () => {
  const table: Table<"open" | "closed", null, { close: undefined }> = {
    open: { close: ["closed"] },
    closed: {},
  };
  const row: Row<string, null, undefined> = rowOf(table, "open", "close");
  expect(row[0]).toBe("closed");
  expect(() => rowOf(table, "closed", "close")).toThrow(AssertionError);
});

it("the connection ends with an event, is made anew, and the sockets go on", async () => {
  const world = new SimulatedWorld(new Dice(1));
  const bugs: Error[] = [];
  world.bug = (error) => void bugs.push(error);
  const network = new SimulatedNetwork(world, new Dice(2), {
    delayMs: 1,
    pieceBytes: 100,
    bufferBytes: 1000,
    refusals: 0,
  });
  const unregister = registerTransport("sim", network);
  const context = new Context();
  context.runtime = new Runtime(world);
  const ends: (Error | undefined)[] = [];
  const program = async (): Promise<void> => {
    const push = new Push({ context });
    const pull = new Pull({ context });
    push.on("disconnect", ({ error }) => ends.push(error));
    await pull.bind("sim://a");
    push.connect("sim://a");
    await push.send("before");
    expect(String(await pull.receive())).toBe("before");
    // A transport that tells of the end of a write that nobody has made.
    world.timer(1, () => network.connections[0].client.handler?.onDrain());
    await world.sleep(5);
    await push.send("after");
    expect(String(await pull.receive())).toBe("after");
    await Promise.all([push.close(), pull.close()]);
  };
  try {
    await world.run(program(), 100_000);
  } finally {
    unregister();
  }
  expect(ends).toEqual([expect.objectContaining({ name: "AssertionError" })]);
  expect(ends[0]?.message).toContain("this is a bug of zwire");
  expect(bugs).toEqual(ends);
});

it("in zwire's own tests it is thrown as well", () => {
  const later = vi.spyOn(process, "nextTick").mockImplementation(() => {});
  const error = new AssertionError("x");
  systemRuntime.bug(error);
  const run = later.mock.calls[0][0] as () => void;
  later.mockRestore();
  expect(run).toThrow(error);
});
