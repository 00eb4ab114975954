/** Effects of options that have no file of their own. */
import { describe, expect, it } from "vitest";
import * as zwire from "../../src/index.js";
import { managed, rawConnected, record, TRANSPORTS, texts, until } from "../support/helpers.js";
import { message } from "../support/raw-peer.js";

const soon = { timeout: 20_000 };

describe("effects that have no file of their own", () => {
  it("maxMultipartSize closes a connection whose message is larger, all parts together (E15)", async () => {
    const pull = managed(new zwire.Pull({ maxMultipartSize: 100 }));
    const events = record(pull);
    const peer = await rawConnected(await pull.bind("tcp://127.0.0.1:*"), { type: "PUSH" });
    peer.write(message(Buffer.alloc(50), Buffer.alloc(50)), message(Buffer.alloc(50), Buffer.alloc(51)));
    expect((await pull.receive(soon)).map((part) => part.length)).toEqual([50, 50]);
    const { error } = await events.next("handshake:error:protocol");
    expect(error).toMatchObject({ code: "message-too-large" });
    await peer.closed();
    expect(pull.tryReceive()).toBeUndefined();
  });

  it.each(TRANSPORTS)(
    "with manual, only what the application subscribes takes effect, over $name (J20)",
    async ({ endpoint }) => {
      const xpub = managed(new zwire.XPublisher({ manual: true }));
      const sub = managed(new zwire.Subscriber());
      sub.subscribe("asked", "other");
      sub.connect(await xpub.bind(endpoint()));
      for (const topic of ["\x01asked", "\x01other"]) {
        expect(texts(await xpub.receive(soon))).toEqual([topic]);
        if (topic === "\x01other") xpub.subscribe("other");
      }
      for (const text of ["asked", "other"]) await xpub.send(text);
      expect(texts(await sub.receive(soon))).toEqual(["other"]);
      expect(sub.tryReceive()).toBeUndefined();
      sub.unsubscribe("other");
      expect(texts(await xpub.receive(soon))).toEqual(["\x00other"]);
    },
  );

  it.each([true, false])("without notify no connection is told: %s (M2)", async (notify) => {
    const stream = managed(new zwire.Stream({ notify }));
    const dialling = managed(new zwire.Stream());
    dialling.connect(await stream.bind("tcp://127.0.0.1:*"), { routingId: "peer" });
    await dialling.connected(soon);
    await dialling.send(["peer", "octets"]);
    const first = await stream.receive(soon);
    expect(texts(first).slice(1)).toEqual([notify ? "" : "octets"]);
    if (notify) expect(texts(await stream.receive(soon)).slice(1)).toEqual(["octets"]);
    await dialling.close();
    await until(() => stream.peers.length === 0, "the peer left");
    expect(stream.stats.receiveQueue).toBe(notify ? 1 : 0);
  });
});
