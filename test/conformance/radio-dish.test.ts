/**
 * Section N for RADIO and DISH (N8 to N12): groups on the wire, matching, slow and hostile peers.
 */
import { describe, expect, it } from "vitest";
import { Dish, Radio } from "../../src/draft.js";
import {
  managed,
  rawConnected,
  rawListen,
  record,
  TRANSPORTS,
  texts,
  turns,
  until,
} from "../support/helpers.js";
import { command, message, type RawPeer } from "../support/raw-peer.js";

const timeout = 20_000;

/** The next message as [text, group]. */
async function next(dish: Dish): Promise<[string, string]> {
  const [part, { group }] = await dish.receive({ timeout });
  return [part.toString(), group.toString()];
}

/** Sends to a group until the dish has it: a RADIO has no event for a join. */
async function joined(radio: Radio, dish: Dish, group: string): Promise<void> {
  for (let heard = false; !heard; ) {
    await radio.send("sync", { group });
    await turns(2);
    for (let got = dish.tryReceive(); got !== undefined; got = dish.tryReceive()) {
      heard ||= got[1].group.toString() === group;
    }
  }
  await turns(20);
  while (dish.tryReceive() !== undefined);
}

/** A DISH that dials a raw RADIO. */
async function dishing(groups: string[] = []) {
  const listener = await rawListen();
  const dish = managed(new Dish({ reconnectInterval: 20 }));
  const events = record(dish);
  if (groups.length > 0) dish.join(...groups);
  dish.connect(listener.endpoint);
  const peer = await listener.accept();
  await peer.handshake({ type: "RADIO" });
  await dish.connected({ timeout });
  return { dish, events, listener, peer };
}

describe.each(TRANSPORTS)("RADIO and DISH over $name", ({ endpoint }) => {
  it("groups match exactly: no prefixes, any octets but zero, 0 to 255 of them (N10)", async () => {
    const radio = managed(new Radio());
    const dish = managed(new Dish());
    const longest = "g".repeat(255);
    const odd = Buffer.from([255, 1, 128]);
    dish.join("news", "", longest, odd);
    dish.connect(await radio.bind(endpoint()));
    await radio.connected({ timeout });
    await joined(radio, dish, "news");
    for (const group of ["new", "newspaper", "NEWS", "g", longest.slice(1)])
      await radio.send("no", { group });
    const wanted = ["news", "", longest, odd];
    for (const group of wanted) await radio.send("yes", { group });
    for (const group of wanted) {
      const [part, of] = await dish.receive({ timeout });
      expect(part.toString()).toBe("yes");
      expect(of.group.equals(Buffer.from(group))).toBe(true);
    }
    await turns(20);
    expect(dish.tryReceive()).toBeUndefined();
  });

  it("a group joined twice, or left without being joined, is EINVAL; after leave() nothing comes (N10)", async () => {
    const radio = managed(new Radio());
    const dish = managed(new Dish());
    radio.connect(await dish.bind(endpoint()));
    await dish.connected({ timeout });
    const invalid = expect.objectContaining({ name: "ZmqError", code: "EINVAL" });
    dish.join("a", "b");
    expect(() => dish.join("a")).toThrow(invalid);
    expect(() => dish.join("c", "c")).toThrow(invalid); // the first of the two stands
    expect(() => dish.leave("d")).toThrow(invalid);
    await joined(radio, dish, "c");
    dish.leave("a");
    expect(() => dish.leave("a")).toThrow(invalid);
    dish.join("end");
    await joined(radio, dish, "end");
    await radio.send("left", { group: "a" });
    await radio.send("kept", { group: "b" });
    expect(await next(dish)).toEqual(["kept", "b"]);
    dish.join("a"); // again
    await joined(radio, dish, "a");
  });

  it("several dishes: each gets what it joined; without one a message is gone and the send succeeds (N12)", async () => {
    const radio = managed(new Radio());
    const actual = await radio.bind(endpoint());
    for (let i = 0; i < 3000; i++) await radio.send("lost", { group: "a", timeout: 0 });
    const dishes = [["a"], ["a", "b"], ["b"]].map((groups) => {
      const dish = managed(new Dish());
      dish.join(...groups);
      dish.connect(actual);
      return dish;
    });
    await radio.connected({ count: 3, timeout });
    for (const [i, group] of ["a", "b", "b"].entries()) await joined(radio, dishes[i], group);
    for (const dish of dishes) while (dish.tryReceive() !== undefined);
    await radio.sendMany([
      ["1", { group: "a" }],
      ["2", { group: "b" }],
    ]);
    expect(await next(dishes[0])).toEqual(["1", "a"]);
    expect([await next(dishes[1]), await next(dishes[1])]).toEqual([
      ["1", "a"],
      ["2", "b"],
    ]);
    expect(await next(dishes[2])).toEqual(["2", "b"]);
    await dishes[1].close();
    await until(() => radio.stats.peers === 2, "one has left");
    await radio.send("3", { group: "a" });
    expect(await next(dishes[0])).toEqual(["3", "a"]);
  });

  it("with noDrop the radio waits for a slow dish, and nobody loses a message (N12)", async () => {
    const radio = managed(new Radio({ sendHighWaterMark: 5, noDrop: true }));
    const actual = await radio.bind(endpoint());
    const dish = managed(new Dish({ receiveHighWaterMark: 5 }));
    dish.join("g");
    dish.connect(actual);
    await joined(radio, dish, "g");
    while (dish.tryReceive() !== undefined);
    const body = (i: number): Buffer => {
      const octets = Buffer.alloc(300_000);
      octets.writeUInt32BE(i);
      return octets;
    };
    let sent = 0;
    for (let refused = 0; refused < 20; refused++) {
      if (radio.trySend(body(sent), { group: "g" })) {
        sent++;
        refused = 0;
      }
      await turns(1);
    }
    expect(sent).toBeLessThan(500);
    expect(radio.writable).toBe(false);
    const waiting = radio.send(body(sent), { group: "g", timeout });
    for (let i = 0; i <= sent; i++) expect((await dish.receive({ timeout }))[0].readUInt32BE()).toBe(i);
    await waiting;
    expect(radio.stats.dropped).toBe(0);
  });

  it("a slow dish loses its copies, the others none, and the radio never waits (N12)", async () => {
    const radio = managed(new Radio({ sendHighWaterMark: 5 }));
    const actual = await radio.bind(endpoint());
    const slow = managed(new Dish({ receiveHighWaterMark: 5 }));
    const quick = managed(new Dish());
    for (const dish of [slow, quick]) {
      dish.join("g");
      dish.connect(actual);
      await joined(radio, dish, "g");
    }
    while (slow.tryReceive() !== undefined || quick.tryReceive() !== undefined);
    const body = Buffer.alloc(300_000);
    const total = 150;
    for (let i = 0; i < total; i++) {
      body.writeUInt32BE(i);
      // A copy: over inproc both sides share the memory.
      await radio.send(Buffer.from(body), { group: "g", timeout: 0 });
      expect((await quick.receive({ timeout }))[0].readUInt32BE()).toBe(i);
    }
    const { dropped } = radio.stats;
    expect(dropped).toBeGreaterThan(0);
    let last = -1;
    for (let i = 0; i < total - dropped; i++) {
      const [part] = await slow.receive({ timeout });
      expect(part).toHaveLength(body.length);
      expect(part.readUInt32BE()).toBeGreaterThan(last);
      last = part.readUInt32BE();
    }
    await turns(20);
    expect(slow.tryReceive()).toBeUndefined();
  });
});

describe("DISH on the wire", () => {
  it("join() is the command 04 len 04 JOIN group, leave() 05 LEAVE (N8)", async () => {
    const { dish, peer } = await dishing(["abc"]);
    const join = await peer.readFrame();
    expect([join.flags, join.body.toString("latin1")]).toEqual([4, "\x04JOINabc"]);
    dish.join("");
    expect((await peer.readFrame()).body.toString("latin1")).toBe("\x04JOIN");
    dish.leave("abc");
    const leave = await peer.readFrame();
    expect([leave.flags, leave.body.toString("latin1")]).toEqual([4, "\x05LEAVEabc"]);
    await peer.barrier();
  });

  it("after each reconnect every group that is still joined is joined again, once (N8)", async () => {
    const { dish, events, listener, peer } = await dishing(["a", "b", "c"]);
    dish.leave("b");
    peer.close();
    await events.next("disconnect");
    dish.leave("c");
    dish.join("between");
    for (let i = 0; i < 2; i++) {
      const again = await listener.accept();
      await again.handshake({ type: "RADIO" });
      const groups = [await again.readCommand(), await again.readCommand()];
      expect(groups.map(({ name, data }) => `${name} ${data}`).sort()).toEqual(["JOIN a", "JOIN between"]);
      await again.barrier();
      again.write(message("a", "heard"));
      expect(await next(dish)).toEqual(["heard", "a"]);
      again.close();
    }
  });

  it.each([
    ["one frame", [["g"]]],
    ["three frames", [["g", "body", "more"]]],
  ] as const)("a message of %s ends the connection; what came before it stays (N11)", async (_, [bad]) => {
    const { dish, events, listener, peer } = await dishing(["g"]);
    peer.write(message("g", "good"), message(...bad), message("g", "never"));
    await peer.closed();
    const failure = await events.next("handshake:error:protocol");
    expect(failure.error).toMatchObject({
      name: "ProtocolError",
      code: "malformed-group-message",
      rule: "N11",
    });
    expect(await next(dish)).toEqual(["good", "g"]);
    const again = await listener.accept(); // D8: it dials again
    await again.handshake({ type: "RADIO" });
    again.write(message("g", "after"));
    expect(await next(dish)).toEqual(["after", "g"]);
  });

  it("what it did not join is filtered here too, as is what it left (N10)", async () => {
    const { dish, peer } = await dishing(["a", "b"]);
    dish.leave("b");
    peer.write(message("b", "late"), message("other", "x"), message("", "x"), message("a", ""));
    expect(await next(dish)).toEqual(["", "a"]);
  });

  it("a name that no group can have is refused at once (N10)", () => {
    const dish = managed(new Dish());
    const radio = managed(new Radio());
    for (const group of ["g".repeat(256), "a\0b", "\0"]) {
      expect(() => dish.join(group)).toThrow(RangeError);
      expect(() => dish.leave(group)).toThrow(RangeError);
      expect(() => radio.send("x", { group })).toThrow(RangeError);
    }
    for (const group of [undefined, 1, null, {}]) {
      expect(() => dish.join(group as never)).toThrow(TypeError);
      expect(() => radio.send("x", { group } as never)).toThrow(TypeError);
    }
    expect(() => radio.send("x", undefined as never)).toThrow(TypeError);
  });

  it("DISH has linger 0, RADIO a finite one (J25)", () => {
    expect([managed(new Dish()).linger, managed(new Radio()).linger > 0]).toEqual([0, true]);
  });
});

describe("RADIO on the wire", () => {
  async function radioing(): Promise<{ radio: Radio; endpoint: string; peer: RawPeer }> {
    const radio = managed(new Radio());
    const endpoint = await radio.bind("tcp://127.0.0.1:*");
    const peer = await rawConnected(endpoint, { type: "DISH" });
    return { radio, endpoint, peer };
  }

  it("a message is two frames: the group with MORE, the body without (N9)", async () => {
    const { radio, peer } = await radioing();
    peer.write(command("JOIN", "g"), command("JOIN", ""));
    await peer.barrier();
    await radio.send("body", { group: "g" });
    await radio.send("", { group: "" });
    const frames = [];
    for (let i = 0; i < 4; i++) {
      const { flags, body } = await peer.readFrame();
      frames.push([flags, body.toString()]);
    }
    expect(frames).toEqual([
      [1, "g"],
      [0, "body"],
      [1, ""],
      [0, ""],
    ]);
  });

  it("JOIN twice and LEAVE once leaves none; SUBSCRIBE, 01 messages and data of a DISH mean nothing (N8)", async () => {
    const { radio, peer } = await radioing();
    peer.write(
      command("JOIN", "g"),
      command("JOIN", "g"),
      command("LEAVE", "g"),
      command("LEAVE", "never"),
      command("SUBSCRIBE", "g"),
      message("\x01g"),
      message("data", "data"),
      command("JOIN", "end"),
    );
    await peer.barrier();
    await radio.send("no", { group: "g" });
    await radio.send("yes", { group: "end" });
    expect(texts(await peer.readMessage())).toEqual(["end", "yes"]);
    await peer.barrier();
  });

  it("a DISH that joins what is no group, or too many, loses its connection, and nobody else does (N10)", async () => {
    const { radio, endpoint, peer } = await radioing();
    const events = record(radio);
    peer.write(command("JOIN", "g"));
    await peer.barrier();
    const long = await rawConnected(endpoint, { type: "DISH" });
    long.write(command("JOIN", "g".repeat(256)));
    await long.closed();
    const greedy = await rawConnected(endpoint, { type: "DISH" });
    const joins = Array.from({ length: 70_000 }, (_, i) => command("JOIN", `${i}`));
    greedy.write(Buffer.concat(joins));
    await greedy.closed();
    await events.next("handshake:error:protocol", 2);
    await radio.send("still", { group: "g" });
    expect(texts(await peer.readMessage())).toEqual(["g", "still"]);
  });

  it("a DISH that broke off is in no group any more (N8)", async () => {
    const { radio, endpoint, peer } = await radioing();
    const events = record(radio);
    peer.write(command("JOIN", "g"));
    await peer.barrier();
    peer.reset();
    await events.next("disconnect");
    const again = await rawConnected(endpoint, { type: "DISH" });
    await again.barrier();
    await radio.send("x", { group: "g" });
    await again.barrier();
  });
});
