/** Names of peers where zwire/zeromq keeps libzmq's ways and zwire does not (I8, I13). */
import { expect, it, onTestFinished } from "vitest";
import { Dealer, Router } from "../../src/zeromq.js";
import { rawListen, texts, turns, until } from "../support/helpers.js";
import { message } from "../support/raw-peer.js";

function managed<S extends { close(): void }>(socket: S): S {
  onTestFinished(() => socket.close());
  return socket;
}

it("a second Dealer of a name stays connected and unheard, as with libzmq (I8)", async () => {
  const router = managed(new Router({ mandatory: true }));
  await router.bind("tcp://127.0.0.1:*");
  const [first, second] = [1, 2].map(() => managed(new Dealer({ routingId: "n", linger: 0 })));
  let told = 0;
  router.events.on("handshake", () => told++);
  router.events.on("disconnect", () => (told = Number.NaN));
  first.connect(router.lastEndpoint as string);
  await first.send("heard");
  expect(texts(await router.receive())).toEqual(["n", "heard"]);
  second.connect(router.lastEndpoint as string);
  await second.send("unheard");
  await until(() => told === 2, "both handshakes");
  await first.send("heard again");
  expect(texts(await router.receive())).toEqual(["n", "heard again"]);
  await turns(5);
  expect([router.readable, told]).toEqual([false, 2]);
});

it("a dialled peer that comes back under another name keeps its first one, as with libzmq (I13)", async () => {
  const listener = await rawListen();
  const router = managed(new Router({ mandatory: true, reconnectInterval: 20, linger: 0 }));
  router.connect(listener.endpoint);
  for (const name of ["one", "two"]) {
    const peer = await listener.accept();
    await peer.handshake({ type: "DEALER", properties: [["Identity", name]] });
    peer.write(message(name));
    expect(texts(await router.receive())).toEqual(["one", name]);
    peer.close();
  }
});
