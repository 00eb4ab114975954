/**
 * Two sockets that are joined, or one of zwire that dials a raw peer or nobody.
 */
import { Pull, Push, type PushOptions } from "../../src/index.js";
import { freePort, managed, rawListen, record } from "./helpers.js";

/** A PUSH and a PULL joined over a transport. */
export async function pair(endpoint: string, sending = {}, receiving = {}) {
  const pull = managed(new Pull(receiving));
  const push = managed(new Push(sending));
  push.connect(await pull.bind(endpoint));
  await Promise.all([push.connected({ timeout: 20_000 }), pull.connected({ timeout: 20_000 })]);
  return { push, pull };
}

/** A PUSH that has dialled a raw PULL. */
export async function pushToRaw(options: PushOptions = {}) {
  const listener = await rawListen();
  const push = managed(new Push(options));
  const events = record(push);
  push.connect(listener.endpoint);
  const peer = await listener.accept();
  await peer.handshake({ type: "PULL" });
  await push.connected({ timeout: 20_000 });
  return { listener, push, events, peer };
}

/** A PUSH that dials an endpoint where nobody listens. */
export async function pushToNobody(options: PushOptions = {}) {
  const endpoint = await freePort();
  const push = managed(new Push(options));
  const events = record(push);
  push.connect(endpoint);
  return { endpoint, push, events };
}
