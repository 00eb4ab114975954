/** A line of limited speed between two sockets: passes bytes on, at so many a second one way, and at once the other. */
import { connect, createServer, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";

export class SlowRelay {
  readonly endpoint: string;
  /** Connections so far. */
  connections = 0;
  /** Bytes so far from who dials to who listens. */
  bytes = 0;

  private constructor(server: Server) {
    const address = server.address() as { port: number };
    this.endpoint = `tcp://127.0.0.1:${address.port}`;
  }

  /**
   * Relays to a tcp endpoint until the test ends.
   * @param perSecond bytes from who dials to who listens
   */
  static async start(target: string, perSecond: number): Promise<SlowRelay> {
    const open = new Set<Socket>();
    let relay: SlowRelay | undefined;
    const server = createServer((near) => {
      if (relay !== undefined) relay.connections++;
      const far = connect(Number(target.split(":").at(-1)), "127.0.0.1");
      for (const one of [near, far]) {
        open.add(one);
        one.setNoDelay(true);
        one.on("error", () => {});
      }
      near.on("data", (chunk) => {
        near.pause();
        if (relay !== undefined) relay.bytes += chunk.length;
        far.write(chunk);
        setTimeout(() => near.resume(), (chunk.length * 1000) / perSecond);
      });
      far.on("data", (chunk) => near.write(chunk));
      near.on("close", () => far.destroy());
      far.on("close", () => near.destroy());
    });
    onTestFinished(() => {
      for (const one of open) one.destroy();
      server.close();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    relay = new SlowRelay(server);
    return relay;
  }
}
