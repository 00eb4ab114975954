import { describe, expect, it } from "vitest";
import * as zwire from "../../src/index.js";
import { managed, record, TRANSPORTS, until } from "../support/helpers.js";
import { CURVE_CLIENT, CURVE_SERVER, expectTalk, meet, PLAIN_CLIENT, SOON } from "../support/met.js";

const yes = () => true;

describe("what peers know", () => {
  const metadata = { "X-service": "prices", "X-octets": Buffer.from([0, 255]) };
  it.each(TRANSPORTS)(
    "metadata is told to peers and read in events and peers: $name (C16)",
    async ({ endpoint }) => {
      const met = await meet({ metadata: { "X-server": "yes" } }, { metadata }, endpoint());
      const { peer } = await met.events.next("handshake");
      for (const told of [peer, await expectTalk(met)]) {
        expect(told?.metadata.get("X-service")?.toString()).toBe("prices");
        expect(told?.metadata.get("X-octets")).toEqual(Buffer.from([0, 255]));
      }
      expect(met.client.peers[0].metadata.get("X-server")?.toString()).toBe("yes");
    },
  );

  it.each([
    ["PLAIN", { plainServer: true, authenticate: yes }, PLAIN_CLIENT],
    ["CURVE", CURVE_SERVER, CURVE_CLIENT],
  ] as const)("likewise under %s (C16)", async (_name, server, client) => {
    const met = await meet({ ...server, metadata: { "X-server": "yes" } }, { ...client, metadata });
    expect((await expectTalk(met)).metadata.get("X-service")?.toString()).toBe("prices");
    expect(met.client.peers[0].metadata.get("X-server")?.toString()).toBe("yes");
  });
});

describe("with messagePeers peerOf() tells who sent a message (C25)", () => {
  const name = (peer: zwire.Peer | undefined) => peer?.metadata.get("X-name")?.toString();
  const named = (text: string) => ({ metadata: { "X-name": text } });

  it.each(TRANSPORTS)("of several peers, over $name", async ({ endpoint }) => {
    const pull = managed(new zwire.Pull({ messagePeers: true }));
    const at = await pull.bind(endpoint());
    for (const text of ["ann", "bob", "eve"]) {
      const push = managed(new zwire.Push(named(text)));
      push.connect(at);
      for (let i = 0; i < 5; i++) await push.send([text, `${i}`], SOON);
    }
    for (let i = 0; i < 15; i++) {
      const message = await pull.receive(SOON);
      expect(name(pull.peerOf(message))).toBe(message[0].toString());
    }
  });

  it("by every way to receive", async () => {
    const pull = managed(new zwire.Pull({ messagePeers: true }));
    const push = managed(new zwire.Push(named("ann")));
    push.connect(await pull.bind("inproc://every-way"));
    await push.sendMany(["a", "b", "c", "d", "e"]);
    expect(name(pull.peerOf((await pull.receiveMany(1))[0]))).toBe("ann");
    expect(name(pull.peerOf(pull.tryReceive() as zwire.Message))).toBe("ann");
    for await (const message of pull) {
      expect(name(pull.peerOf(message))).toBe("ann");
      break;
    }
    const heard = await new Promise<zwire.Message>((resolve) => pull.once("message", resolve));
    expect(name(pull.peerOf(heard))).toBe("ann");
  });

  it("of requests, replies and routed messages", async () => {
    const reply = managed(new zwire.Reply({ ...named("server"), messagePeers: true }));
    const request = managed(new zwire.Request({ ...named("client"), messagePeers: true }));
    request.connect(await reply.bind("tcp://127.0.0.1:*"));
    await request.send("?", SOON);
    expect(name(reply.peerOf(await reply.receive(SOON)))).toBe("client");
    await reply.send("!");
    expect(name(request.peerOf(await request.receive(SOON)))).toBe("server");
    const router = managed(new zwire.Router({ messagePeers: true }));
    const dealer = managed(new zwire.Dealer(named("dealer")));
    dealer.connect(await router.bind("tcp://127.0.0.1:*"));
    await dealer.send("x", SOON);
    expect(name(router.peerOf(await router.receive(SOON)))).toBe("dealer");
  });

  it("also where the sender has gone, and where another has taken its place", async () => {
    const [first, second] = ["first", "second"].map((text) => managed(new zwire.Push(named(text))));
    const endpoint = await first.bind("tcp://127.0.0.1:*");
    const pull = managed(new zwire.Pull({ messagePeers: true, reconnectInterval: 10 }));
    const events = record(pull);
    pull.connect(endpoint);
    await first.sendMany(["first", "first", "first"], SOON);
    await until(() => pull.stats.receiveQueue === 3, "three messages");
    await first.close();
    await events.next("disconnect");
    expect(name(pull.peerOf(await pull.receive(SOON)))).toBe("first");
    await second.bind(endpoint);
    await second.sendMany(["second", "second"], SOON);
    await until(() => pull.stats.receiveQueue === 4, "two more");
    for (let i = 0; i < 4; i++) {
      const message = await pull.receive(SOON);
      expect(name(pull.peerOf(message))).toBe(message[0].toString());
    }
  });

  it("of a conflating socket it says nothing rather than something wrong (G14)", async () => {
    const [first, second] = ["first", "second"].map((text) => managed(new zwire.Push(named(text))));
    const endpoint = await first.bind("tcp://127.0.0.1:*");
    const pull = managed(new zwire.Pull({ messagePeers: true, conflate: true, reconnectInterval: 10 }));
    const events = record(pull);
    pull.connect(endpoint);
    await first.send("first", SOON);
    await until(() => pull.stats.receiveQueue === 1, "a message");
    await first.close();
    await events.next("disconnect");
    await second.bind(endpoint);
    await events.next("handshake", 2);
    const message = await pull.receive(SOON);
    expect([String(message), pull.peerOf(message)]).toEqual(["first", undefined]);
    await second.send("second", SOON);
    expect(name(pull.peerOf(await pull.receive(SOON)))).toBe("second");
  });

  it("and without the option, or of a copy, nothing", async () => {
    const pull = managed(new zwire.Pull());
    const push = managed(new zwire.Push(named("ann")));
    push.connect(await pull.bind("inproc://nobody"));
    await push.sendMany(["a", "b"]);
    expect(pull.peerOf(await pull.receive(SOON))).toBeUndefined();
    pull.messagePeers = true;
    const message = await pull.receive(SOON);
    expect([name(pull.peerOf(message)), pull.peerOf([...message])]).toEqual(["ann", undefined]);
  });
});
