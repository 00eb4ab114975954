/** Stands for rpc/client/link-options.ts: heartbeats notice a dead server, because a page has no keep-alive of tcp. */
import type { DealerOptions } from "../../../../index.js";

export const LINK_OPTIONS: DealerOptions = {
  linger: 1000,
  sendHighWaterMark: 32,
  maxMessageSize: 128 * 1024 * 1024,
};
