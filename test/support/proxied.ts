/** Sockets around a proxy that does not run yet, and numbered messages through it. */
import { expect } from "vitest";
import { Proxy, type ProxyOptions, Pull, Push } from "../../src/index.js";
import { managed, TRANSPORTS, texts } from "./helpers.js";

export const LIMIT = { timeout: 20_000 };
export const inprocEndpoint = TRANSPORTS[2].endpoint;

/** push → (front: Pull, back: Push) → pull, connected, with a proxy that does not run yet. */
export async function pipeline(
  endpoint: () => string = inprocEndpoint,
  marks: { send?: number; receive?: number } = {},
  options?: ProxyOptions,
) {
  const sending = { sendHighWaterMark: marks.send ?? 1000, linger: 0 };
  const receiving = { receiveHighWaterMark: marks.receive ?? 1000 };
  const [push, front] = [managed(new Push(sending)), managed(new Pull(receiving))];
  const [back, pull] = [managed(new Push(sending)), managed(new Pull(receiving))];
  push.connect(await front.bind(endpoint()));
  const backEndpoint = await back.bind(endpoint());
  const proxy = new Proxy(front, back, options);
  return { push, front, back, pull, proxy, backEndpoint };
}

export async function numbered(push: Push, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) await push.send(`${i}`);
}

export async function expectNumbers(socket: Pull, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) expect(texts(await socket.receive(LIMIT))).toEqual([`${i}`]);
}

/** For a send that may time out: false then. */
export function isTimeout(error: { code?: string }): false {
  expect(error.code).toBe("EAGAIN");
  return false;
}
