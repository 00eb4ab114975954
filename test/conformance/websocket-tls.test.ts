/** wss: the WebSocket inside TLS, with the option tls, and with a client that is not ours. */
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { Dealer, Pull, Push, Router } from "../../src/index.js";
import * as zeromq from "../../src/zeromq.js";
import { Authority } from "../support/certificates.js";
import { managed, record, texts } from "../support/helpers.js";

const authority = new Authority();
const { cert, key } = authority.issue();
const tls = { cert, key, ca: authority.cert };

describe("wss", () => {
  it("carries messages of all sizes both ways, and the peer's certificate is known (X1)", async () => {
    const [dealer, router] = [managed(new Dealer({ tls, routingId: "d" })), managed(new Router({ tls }))];
    const endpoint = await router.bind("wss://127.0.0.1:*/secure");
    expect(endpoint).toMatch(/^wss:\/\/127\.0\.0\.1:\d+\/secure$/);
    dealer.connect(endpoint);
    const parts = ["", "x", "y".repeat(70_000), "z".repeat(3_000_000)];
    for (let round = 0; round < 3; round++) {
      await dealer.send(parts);
      expect(texts(await router.receive({ timeout: 20_000 }))).toEqual(["d", ...parts]);
      await router.send(["d", ...parts]);
      expect(texts(await dealer.receive({ timeout: 20_000 }))).toEqual(parts);
    }
    expect(dealer.peers[0].address).toBe(endpoint.replace("/secure", ""));
    expect(dealer.peers[0].tls?.certificate?.subject.CN).toBe("localhost");
  });

  it("a client of the package ws talks to it", async () => {
    const pull = managed(new Pull({ tls }));
    const endpoint = await pull.bind("wss://127.0.0.1:*");
    const socket = new WebSocket(endpoint, "ZWS2.0", { ca: authority.cert });
    onTestFinished(() => socket.terminate());
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    for (const message of ["\x00", "\x01hello", "\x00there"]) socket.send(Buffer.from(message));
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["hello", "there"]);
  });

  it("a certificate of another authority is refused, with an event on both sides", async () => {
    const pull = managed(new Pull({ tls }));
    const push = managed(new Push({ tls: { ca: new Authority("Another").cert }, reconnectInterval: 50 }));
    const [here, there] = [record(pull), record(push)];
    push.connect(await pull.bind("wss://127.0.0.1:*"));
    expect((await there.next("handshake:error:tls")).error!.message).toMatch(/certificate/);
    await there.next("connect:retry");
    await here.next("handshake:error:tls");
    expect(there.of("handshake")).toEqual([]);
  });

  it("needs a certificate to bind, and zwire/zeromq has none", async () => {
    await expect(managed(new Pull()).bind("wss://127.0.0.1:*")).rejects.toMatchObject({
      code: "EINVAL",
      address: "wss://127.0.0.1:*",
    });
    const pull = new zeromq.Pull();
    await expect(pull.bind("wss://127.0.0.1:*")).rejects.toMatchObject({ code: "EPROTONOSUPPORT" });
    pull.close();
  });
});
