/**
 * What is lost, and what is not, when a peer dies or is killed and comes back.
 */
import { expect, it } from "vitest";
import { Push } from "../../src/index.js";
import { managed, rawListen, record, temporaryDirectory, turns } from "../support/helpers.js";
import { killAndRestart } from "../support/suites/restarts.js";

it("a PUSH goes on while its peer is killed and restarted 8 times", async () => {
  await killAndRestart(8);
});

it("of a full queue only what the kernel had taken is lost with the peer", async () => {
  // ipc: a unix socket holds a few hundred kilobytes. The peer takes nothing, so all else must come to the next one.
  const listener = await rawListen(`ipc://${temporaryDirectory()}/s`);
  const push = managed(new Push({ reconnectInterval: 5 }));
  // By default the native engine asks for 1 MiB on ipc.
  if (push.engine === "native") push.sendBufferSize = 65_536;
  const events = record(push);
  push.connect(listener.endpoint);
  const first = await listener.accept();
  await first.handshake({ type: "PULL" });
  await push.connected({ timeout: 20_000 });
  first.pause();
  const count = 900;
  for (let i = 0; i < count; i++) {
    await push.send([`${i}`, Buffer.alloc(8192, i)], { timeout: 20_000 });
    if (i % 50 === 0) await turns(1);
  }
  first.close();
  await events.next("disconnect");
  const second = await listener.accept();
  await second.handshake({ type: "PULL" });
  const arrived: number[] = [];
  while (arrived.at(-1) !== count - 1) {
    const [number, octets] = await second.readMessage();
    expect(octets.equals(Buffer.alloc(8192, Number(number)))).toBe(true);
    arrived.push(Number(number));
  }
  for (let i = 1; i < arrived.length; i++) expect(arrived[i]).toBe(arrived[i - 1] + 1);
  // The kernel holds at most its send and receive buffer. node:net does not tell how much of a write was taken, so
  // the portable engine counts the one write that was under way as well.
  expect(arrived[0]).toBeLessThan(push.engine === "native" ? 120 : 400);
});
