/**
 * Contexts: S11, S17, R21, and what libzmq's zmq_ctx_set accepts (U2). Sockets share one context unless told otherwise.
 */
import { describe, expect, it } from "vitest";
import { Channel, Server } from "../../src/draft.js";
import * as zwire from "../../src/index.js";
import { Context, Pull, Push, type Socket, Subscriber } from "../../src/index.js";
import { managed, rawConnected, texts, until } from "../support/helpers.js";
import { message } from "../support/raw-peer.js";

describe("a context", () => {
  it("without blocky new sockets have linger 0, unless told otherwise; older ones keep theirs (S11)", () => {
    const context = new Context();
    const before = managed(new Push({ context }));
    context.blocky = false;
    expect(managed(new Push({ context })).linger).toBe(0);
    expect(managed(new Push({ context, linger: 7 })).linger).toBe(7);
    expect(managed(new Channel({ context })).linger).toBe(0);
    expect([before.linger, managed(new Push()).linger]).toEqual([30000, 30000]);
    context.blocky = true;
    expect(managed(new Push({ context })).linger).toBe(30000);
    expect(managed(new Subscriber({ context })).linger).toBe(0); // J25
  });

  it("a socket beyond maxSockets is EMFILE, and a closed one gives its place back (S17)", async () => {
    const context = new Context({ maxSockets: 3 });
    const open: Socket[] = [new Push({ context }), new Pull({ context }), new Server({ context })].map(
      managed,
    );
    expect(context.sockets).toBe(3);
    expect(() => new Pull({ context })).toThrow(
      expect.objectContaining({ name: "ZmqError", code: "EMFILE" }),
    );
    await open[0].close();
    await open[0].close();
    expect(context.sockets).toBe(2);
    const again = managed(new Pull({ context }));
    expect(() => new Pull({ context })).toThrow(expect.objectContaining({ code: "EMFILE" }));
    context.maxSockets = 4;
    managed(new Pull({ context }));
    await again.close();
    managed(new Push()); // another context, another count
    expect(context.sockets).toBe(3);
  });

  it("a socket whose options were refused takes no place (S17)", () => {
    const context = new Context({ maxSockets: 1 });
    for (let i = 0; i < 3; i++) {
      expect(() => new Pull({ context, nonsense: 1 } as object)).toThrow(TypeError);
      expect(() => new Pull({ context, linger: -5 })).toThrow(RangeError);
    }
    managed(new Pull({ context }));
  });

  it("sockets that nobody can reach give their places back (S17)", async () => {
    const context = new Context({ maxSockets: 1000 });
    for (let i = 0; i < 200; i++) new Pull({ context });
    expect(context.sockets).toBe(200);
    const collect = (globalThis as { gc?: () => void }).gc as () => void;
    await until(() => {
      collect();
      return context.sockets < 200;
    }, "the places of collected sockets");
  });

  it("the default is 1023 sockets, the limit 65535 (S17)", () => {
    const context = new Context();
    expect([context.maxSockets, context.maxSocketsLimit]).toEqual([1023, 65535]);
    expect([context.getInt32Option(2), context.getInt32Option(3)]).toEqual([1023, 65535]);
  });

  it("inproc names belong to a context (R21)", async () => {
    const [one, two] = [new Context(), new Context()];
    const name = `inproc://context-${process.pid}`;
    const pulls = [one, two].map((context) => managed(new Pull({ context })));
    for (const pull of pulls) await pull.bind(name);
    const push = managed(new Push({ context: two }));
    push.connect(name);
    await push.send("x");
    expect(texts(await pulls[1].receive({ timeout: 20_000 }))).toEqual(["x"]);
    expect(pulls[0].tryReceive()).toBeUndefined();
  });

  it("its maxMessageSize is the limit of sockets that set none (E15)", async () => {
    const context = new Context({ maxMessageSize: 10 });
    const cases: [Pull, boolean][] = [
      [new Pull({ context }), false],
      [new Pull({ context, maxMessageSize: 100 }), true],
    ];
    for (const [pull, accepted] of cases) {
      const endpoint = await managed(pull).bind("tcp://127.0.0.1:*");
      const tiny = await rawConnected(endpoint, { type: "PUSH" }).catch(() => null);
      if (tiny === null) {
        expect(accepted).toBe(false); // READY is longer than ten bytes (E15)
        continue;
      }
      tiny.write(message("x".repeat(50)));
      if (accepted) expect((await pull.receive({ timeout: 20_000 }))[0]).toHaveLength(50);
      else await tiny.closed();
    }
  });

  it("its ipv6 is the default of new sockets", () => {
    const context = new Context({ ipv6: true });
    expect(managed(new Pull({ context })).ipv6).toBe(true);
    expect(managed(new Pull({ context, ipv6: false })).ipv6).toBe(false);
    expect(managed(new Pull()).ipv6).toBe(false);
  });

  it("a wrong value throws and the old one stays (U2)", () => {
    const context = new Context({ maxSockets: 5 });
    expect(() => (context.maxSockets = "6" as never)).toThrow(TypeError);
    expect(() => (context.maxSockets = 0)).toThrow(RangeError);
    expect(() => (context.maxSockets = 65536)).toThrow(RangeError);
    expect(() => (context.blocky = 1 as never)).toThrow(TypeError);
    expect(() => (context.ipv6 = null as never)).toThrow(TypeError);
    expect(() => (context.maxMessageSize = -1)).toThrow(RangeError);
    expect(() => context.setInt32Option(2, 0)).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(() => context.setInt32Option(70, 2)).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(() => context.getInt32Option(999)).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect([context.maxSockets, context.blocky, context.ipv6]).toEqual([5, true, false]);
    expect(() => new Context({ nonsense: 1 } as object)).toThrow(TypeError);
    expect(() => new Context(null as never)).toThrow(TypeError);
    expect(() => new Pull({ context: {} as never })).toThrow(TypeError);
  });

  it("what has no meaning here is refused, and its default accepted (U2)", () => {
    const context = new Context({ ioThreads: 1 });
    expect(context.ioThreads).toBe(1);
    for (const name of ["ioThreads", "threadPriority", "threadSchedulingPolicy"] as const) {
      expect(() => (context[name] = 2), name).toThrow(expect.objectContaining({ code: "ENOTSUP" }));
    }
  });

  it("sockets without one share the process's context", () => {
    expect(managed(new Pull()).context).toBe(zwire.context);
  });
});
