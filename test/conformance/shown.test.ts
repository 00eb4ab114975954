/** What a program sees of a socket: in console.log(), and in the error of a wait that is over. */
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { curveKeyPair, Pull, Push, Request } from "../../src/index.js";
import { freePort, managed } from "../support/helpers.js";

describe("console.log(socket)", () => {
  it("shows endpoints, peers, what waits and the options that are not the defaults", async () => {
    const [push, pull] = [managed(new Push({ sendHighWaterMark: 5, linger: 30000 })), managed(new Pull())];
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    push.connect(endpoint);
    await push.connected();
    await push.send("1");
    expect(inspect(push)).toBe(
      `Push {
  bound: [],
  connected: [ '${endpoint}' ],
  peers: 1,
  waiting: { sends: 0, toPeers: 0, received: 0 },
  messages: { sent: 1, received: 0, dropped: 0 },
  options: { sendHighWaterMark: 5 }
}`,
    );
    expect(inspect({ pull })).toContain(`bound: [ '${endpoint}' ]`);
    await push.close();
    expect(inspect(push)).toBe("Push { closed: true }");
  });

  it("shows no secret", () => {
    const { secretKey } = curveKeyPair();
    const { publicKey: serverKey } = curveKeyPair();
    const curve = inspect(managed(new Push({ security: { mechanism: "curve", secretKey, serverKey } })));
    expect(curve).toContain(serverKey);
    expect(curve).toContain("curveSecretKey: '[hidden]'");
    expect(curve).not.toContain(secretKey);
    const plain = inspect(
      managed(new Push({ plainUsername: "ada", plainPassword: "sesame", socksPassword: "sesame" })),
    );
    expect(plain).toContain("plainUsername: 'ada'");
    expect(plain).not.toContain("sesame");
    expect(inspect(managed(new Pull()))).toContain("options: {}");
  });
});

describe("the error of a wait that is over", () => {
  it("names socket, time, endpoints, peers and the last failure", async () => {
    const push = managed(new Push({ sendTimeout: 60, sendHighWaterMark: 1 }));
    await expect(push.connected({ timeout: 1 })).rejects.toThrow(
      "Operation was not possible or timed out: PUSH waited 1 ms (not bound or connected) with 0 peers",
    );
    const endpoint = await freePort();
    const failed = new Promise((resolve) => push.once("connect:retry", resolve));
    push.connect(endpoint);
    await failed;
    push.trySend("fills the queue");
    await expect(push.send("late")).rejects.toMatchObject({
      code: "EAGAIN",
      message: expect.stringContaining(`: PUSH waited 60 ms (${endpoint}) with 0 peers; last failure: `),
      cause: { code: "ECONNREFUSED" },
    });
  });

  it("names three endpoints at most", async () => {
    const request = managed(new Request());
    for (let i = 1; i <= 5; i++) request.connect(`inproc://shown-${i}`);
    await expect(request.connected({ timeout: 1, count: 9 })).rejects.toThrow(
      "(inproc://shown-1, inproc://shown-2, inproc://shown-3 and 2 more)",
    );
  });
});
