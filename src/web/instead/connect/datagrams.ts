/** Stands for connect/datagrams.ts: a page has no datagrams, and its list of transports says so before there is an endpoint. */
import { Listener } from "./listener.js";

export class DatagramEndpoint extends Listener {
  bind(): Promise<void> {
    return this.open();
  }

  bindSync(): void {
    this.openSync();
  }

  start(): void {
    this.openSync();
  }
}
