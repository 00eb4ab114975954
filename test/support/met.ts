/** A server and a client that meet under some security: what tests of it share. */
import { expect } from "vitest";
import * as zwire from "../../src/index.js";
import { type EventRecord, managed, record } from "./helpers.js";

/** For what must not hang. */
export const SOON = { timeout: 10_000 };
export const SERVER = zwire.curveKeyPair();
export const CLIENT = zwire.curveKeyPair();
export const CURVE_SERVER = { curveServer: true, curveSecretKey: SERVER.secretKey };
export const CURVE_CLIENT = { curveServerKey: SERVER.publicKey, curveSecretKey: CLIENT.secretKey };
export const PLAIN_CLIENT = { plainUsername: "ann", plainPassword: "pa55word" };

export interface Met {
  readonly server: zwire.Router;
  readonly client: zwire.Dealer;
  readonly endpoint: string;
  readonly events: EventRecord;
  readonly clientEvents: EventRecord;
}

/** A server that is bound, and a client that dials it, slowly where it is not let in. */
export async function meet(
  server: zwire.RouterOptions,
  client: zwire.DealerOptions,
  at = "tcp://127.0.0.1:*",
): Promise<Met> {
  const router = managed(new zwire.Router(server));
  const dealer = managed(new zwire.Dealer({ reconnectInterval: 20, ...client }));
  const [events, clientEvents] = [record(router), record(dealer)];
  const endpoint = await router.bind(at);
  dealer.connect(endpoint);
  return { server: router, client: dealer, endpoint, events, clientEvents };
}

/** Both ways, several parts, one of them large. */
export async function expectTalk({ server, client }: Met): Promise<zwire.Peer> {
  const large = Buffer.alloc(100_000, "x");
  await client.send(["hello", "", large], SOON);
  const [id, ...parts] = await server.receive(SOON);
  expect(parts.map((part) => part.length)).toEqual([5, 0, large.length]);
  await server.send([id, "back", large], SOON);
  expect((await client.receive(SOON)).map((part) => part.length)).toEqual([4, large.length]);
  return server.peers[0];
}

/** The client is turned away, and nothing of it arrives. */
export async function expectRefused(
  met: Met,
  event = "handshake:error:auth",
  code = "authentication-denied",
) {
  const { error } = await met.events.next(event);
  expect(error).toMatchObject({ code });
  expect(met.server.peers).toEqual([]);
  expect(met.server.tryReceive()).toBeUndefined();
  return error as zwire.ProtocolError;
}
