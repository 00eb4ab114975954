/** Stands for connect/listener.ts: a page cannot listen, and its transports say so before there is a listener. */
import type { EndpointHandle } from "../../../session/host.js";

export class Listener implements EndpointHandle {
  readonly endpoint = "";
  readonly unsent = 0;

  open(): Promise<void> {
    return Promise.reject(new Error("a page cannot listen"));
  }

  openSync(): void {
    throw new Error("a page cannot listen");
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  readonly links = [];

  drain(): void {}

  abandon(): void {}

  reset(): boolean {
    return false;
  }

  ref(): void {}

  unref(): void {}
}
