/** The options of a client's Dealer, if the program gives no others. */
import type { DealerOptions } from "../../index.js";

export const LINK_OPTIONS: DealerOptions = {
  // TCP keep-alive: the kernel notices when a host is gone, but still answers while the process is only busy.
  tcpKeepalive: 1,
  tcpKeepaliveIdle: 30,
  heartbeatInterval: 0,
  linger: 1000,
  // A socket that reaches its mark writes what it has gathered. So the server gets the first of many calls while the
  // last are still being made: with 64 calls in flight and two free cores, 1.7 to 2 times the calls per second. What the
  // kernel does not take waits in the client, where it can be withdrawn (T32).
  sendHighWaterMark: 32,
  maxMessageSize: 128 * 1024 * 1024,
};
