/**
 * Compiled by declarations.test.ts: a socket where Node's declarations want an emitter.
 */
import { on, once } from "node:events";
import { Pull, Push, type Socket } from "../../dist/index.js";

export const pull = new Pull();
export const socket: Socket = pull;
export const emitters: NodeJS.EventEmitter[] = [pull, new Push()];

export async function listens(): Promise<void> {
  pull.on("message", (message) => message[0].byteLength).on("bind", ({ address }) => address.length);
  pull.addListener("error", (error) => error.message).removeAllListeners("error");
  pull.prependOnceListener("message", (message) => message.length);
  // @ts-expect-error a Push has no messages
  new Push().on("message", () => {});
  const [message] = await once(pull, "message");
  for await (const [next] of on(pull, "message")) return void [message, next];
}
