/**
 * Limits on who may connect: what strangers see, what the socket tells, and that good peers are let in again.
 */
import { describe, expect, it } from "vitest";
import { Pull, Push } from "../../src/index.js";
import { managed, rawConnected, rawDial, record, until } from "../support/helpers.js";

const ANY = "tcp://127.0.0.1:*";

describe("limits on connections", () => {
  it("maxConnections: one more is closed as it comes, told once, and let in when there is room", async () => {
    const pull = managed(new Pull({ maxConnections: 2 }));
    const events = record(pull);
    const first = await pull.bind(ANY);
    const second = await pull.bind("ipc://*");
    const peer = await rawConnected(first, { type: "PUSH" });
    await rawConnected(second, { type: "PUSH" });
    for (let i = 0; i < 5; i++) await (await rawDial(first)).closed();
    const told = events.of("limit");
    expect(told.length).toBeLessThan(5); // once a second
    expect(told[0]).toMatchObject({ limit: "maxConnections", action: "refused", value: 3, endpoint: first });
    expect(told[0].address).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
    expect(events.of("accept")).toHaveLength(2);
    peer.close();
    const push = managed(new Push());
    push.connect(first);
    await push.send("let in");
    expect(String((await pull.receive())[0])).toBe("let in");
  });

  it("maxConnections may be changed while the socket is bound", async () => {
    const pull = managed(new Pull());
    const endpoint = await pull.bind(ANY);
    await rawConnected(endpoint, { type: "PUSH" });
    pull.maxConnections = 1;
    await (await rawDial(endpoint)).closed();
    pull.maxConnections = 0;
    await rawConnected(endpoint, { type: "PUSH" });
  });

  it("maxHandshakes: who connects and says nothing keeps nobody out for long", async () => {
    const pull = managed(new Pull({ maxHandshakes: 3, handshakeInterval: 10_000 }));
    const events = record(pull);
    const endpoint = await pull.bind(ANY);
    const silent = await Promise.all([1, 2, 3].map(() => rawDial(endpoint)));
    await until(() => events.of("accept").length === 3, "they are accepted");
    const push = managed(new Push());
    push.connect(endpoint);
    await push.send("let in");
    expect(String((await pull.receive())[0])).toBe("let in");
    expect(silent.filter((peer) => peer.ended)).toHaveLength(1);
    expect(events.of("limit").map(({ limit, action }) => `${limit} ${action}`)).toContain(
      "maxHandshakes refused",
    );
    expect(events.of("handshake")).toHaveLength(1);
  });

  it("maxConnectionsPerAddress is for each address by itself", async () => {
    const pull = managed(new Pull({ maxConnectionsPerAddress: 1 }));
    const events = record(pull);
    const endpoint = await pull.bind(ANY);
    await rawConnected(endpoint, { type: "PUSH" });
    await (await rawDial(endpoint)).closed();
    expect(events.of("limit")[0]).toMatchObject({
      limit: "maxConnectionsPerAddress",
      action: "refused",
      value: 2,
    });
    if (process.platform !== "linux") return; // elsewhere only 127.0.0.1 is configured
    const push = managed(new Push());
    push.connect(endpoint.replace("tcp://", "tcp://127.0.0.7:0;"));
    await push.send("from elsewhere");
    expect(String((await pull.receive())[0])).toBe("from elsewhere");
  });

  it("maxConnectionRate: the third in a second is closed", async () => {
    const pull = managed(new Pull({ maxConnectionRate: 2 }));
    const events = record(pull);
    const endpoint = await pull.bind(ANY);
    for (let i = 0; events.of("limit").length === 0; i++) {
      expect(i).toBeLessThan(1000);
      (await rawDial(endpoint)).close();
    }
    expect(events.of("limit")[0]).toMatchObject({ limit: "maxConnectionRate", action: "refused", value: 3 });
  });
});
