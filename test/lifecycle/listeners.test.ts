/**
 * A socket that is closed, or lets go of its endpoint, from inside a listener of any of its events: both sides come to
 * rest, no peer is left behind, and "end" is told once, last. Sockets are driven by their public members only.
 */
import { describe, expect, it } from "vitest";
import { Pull, Push } from "../../src/index.js";
import {
  EVENT_NAMES,
  listen,
  managed,
  record,
  TRANSPORTS,
  turns,
  until,
  within,
} from "../support/helpers.js";

const ACTS = ["close", "close and linger", "let go"] as const;
const SIDES = ["bound", "dialling"] as const;

/** What a listener may meet that acts on a socket which has let go already. */
function expected(error: { code?: string }): void {
  if (error.code !== "ENOENT" && error.code !== "EBADF") throw error;
}

describe.each(TRANSPORTS)("over $name", ({ endpoint }) => {
  it.each(SIDES.flatMap((side) => EVENT_NAMES.map((name) => [side, name] as const)))(
    "the %s socket acts inside a listener of %s",
    async (side, name) => {
      for (const act of ACTS) {
        const [bound, dialling] = [managed(new Pull()), managed(new Push({ reconnectInterval: 10 }))];
        const [subject, other] = side === "bound" ? [bound, dialling] : [dialling, bound];
        const records = [record(bound), record(dialling)];
        let actual = "";
        let done: Promise<unknown> | undefined;
        listen(subject, name, () => {
          if (done !== undefined) return;
          if (act === "close") done = subject.close({ linger: 0 });
          else if (act === "close and linger") done = subject.close({ linger: 200 });
          else if (side === "bound") done = bound.unbind(bound.lastEndpoint as string).catch(expected);
          else {
            done = Promise.resolve();
            try {
              dialling.disconnect(actual);
            } catch (error) {
              expected(error as { code?: string });
            }
          }
        });
        actual = await bound.bind(endpoint());
        dialling.connect(actual);
        if (!dialling.closed) dialling.trySend("x");
        await turns(30);
        await within(Promise.resolve(done), "the act");
        const rests = () => subject.peers.length === 0 && other.peers.length === 0;
        if (done !== undefined) await until(rests, "nobody is connected");
        await within(Promise.all([bound.close({ linger: 0 }), dialling.close({ linger: 0 })]), "close");
        for (const socket of [bound, dialling])
          expect(socket.stats).toMatchObject({ peers: 0, outboundQueue: 0 });
        for (const { names } of records) {
          expect(names.indexOf("end")).toBe(names.length - 1);
          let connections = 0;
          for (const told of names) {
            if (told === "handshake") connections++;
            else if (told === "disconnect") connections--;
            expect(connections, names.join(" ")).toBeGreaterThanOrEqual(0);
          }
        }
      }
    },
  );
});
