/** Stands for core/asking.ts: a page does not ask about peers. */
import type { OpenAsking } from "../../../security/zap/client.js";

/** What it returns is never called: zapClient() refuses to use it. */
export function askingBy(): OpenAsking {
  return null as never;
}
