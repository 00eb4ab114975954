/** A name with several addresses: all of them are reached (R4, RFC 8305). */
import { connect, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { Pull, Push } from "../../src/index.js";
import { startChild } from "../support/child.js";
import { managed, record, texts } from "../support/helpers.js";
import { replaceLookup } from "../support/lookup.js";

const names = new Map<string, string[]>();
replaceLookup(() => async (host) => (names.get(host) ?? []).map((address) => ({ address, family: 4 })));

/** An address that answers no SYN: its listener is stopped, and its backlog full. */
async function silence(address: string, port: number): Promise<void> {
  const child = startChild("deaf.mjs", [address, `${port}`]);
  await child.line(({ event }) => event === "listening", "the deaf listener");
  child.kill("SIGSTOP");
  onTestFinished(() => child.kill("SIGKILL"));
  // Linux takes one more than the backlog; the third gets no answer.
  const fillers: Socket[] = [];
  onTestFinished(() => {
    for (const filler of fillers) filler.destroy();
  });
  for (let open = true; open; ) {
    const filler = connect({ host: address, port });
    fillers.push(filler);
    filler.on("error", () => {});
    open = await new Promise<boolean>((resolve) => {
      filler.once("connect", () => resolve(true));
      setTimeout(() => resolve(false), 400); // by the clock: no answer is what is waited for
    });
  }
}

it.runIf(process.platform === "linux").each([0, 3000])(
  "an address that is silent does not keep the next one from being reached (connectTimeout %i)",
  async (connectTimeout) => {
    const pull = managed(new Pull());
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    const port = Number(endpoint.split(":")[2]);
    await silence("127.0.0.2", port);
    names.set("several.test", ["127.0.0.2", "127.0.0.1"]);
    const push = managed(new Push({ connectTimeout }));
    const events = record(push);
    push.connect(`tcp://several.test:${port}`);
    await push.send("here", { timeout: 20_000 });
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["here"]);
    expect(events.of("connect:retry")).toEqual([]);
  },
);

it("an address that refuses is followed by the next one at once", async () => {
  const pull = managed(new Pull());
  const endpoint = await pull.bind("tcp://127.0.0.1:*");
  names.set("several.test", ["127.0.0.3", "127.0.0.1"]);
  const push = managed(new Push());
  const events = record(push);
  push.connect(`tcp://several.test:${endpoint.split(":")[2]}`);
  await push.connected({ timeout: 20_000 });
  expect(events.of("connect:retry")).toEqual([]);
});
