/**
 * A client of zwire/rpc joined to a server whose bytes are written by hand.
 */
import { onTestFinished } from "vitest";
import { Client, type ClientOptions } from "../../src/rpc.js";
import { int } from "./msgpack.js";
import { calling, type Heard, ManualClock, ScriptedServer } from "./rpc-peers.js";

/** A client and its server. */
export async function joined(options: ClientOptions = {}) {
  const server = await ScriptedServer.listen();
  return { server, api: calling(server.endpoint, options) };
}

/** With a clock that goes only when it is told to. */
export async function joinedWithClock(options: ClientOptions = {}) {
  const server = await ScriptedServer.listen();
  const clock = new ManualClock();
  const client = new Client(server.endpoint, options, clock);
  onTestFinished(() => client.close());
  return { server, clock, client };
}

/** Send so many integers of a stream, from a number on. */
export async function items(
  server: ScriptedServer,
  request: Heard,
  from: number,
  count: number,
): Promise<void> {
  for (let i = from; i < from + count; i++) await server.reply(request, "STREAM", int(i));
}
