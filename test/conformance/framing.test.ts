/**
 * Section E: framing on the wire, both ways, against a raw peer with an encoder and decoder of its own.
 */
import { setFlagsFromString } from "node:v8";
import { describe, expect, it } from "vitest";
import { engine, Pull, Push, Reply, Request } from "../../src/index.js";
import {
  managed,
  rawConnected,
  rawDial,
  rawListen,
  record,
  texts,
  turns,
  until,
} from "../support/helpers.js";
import { command, frame, greeting, message, ready } from "../support/raw-peer.js";

setFlagsFromString("--allow-natives-syntax");
const detach = new Function("memory", "%ArrayBufferDetach(memory)") as (memory: ArrayBufferLike) => void;

async function receiving(options = {}) {
  const pull = managed(new Pull(options));
  const events = record(pull);
  const peer = await rawConnected(await pull.bind("tcp://127.0.0.1:*"), { type: "PUSH" });
  return { pull, events, peer, next: async () => texts(await pull.receive({ timeout: 20_000 })) };
}

async function sending(options = {}) {
  const listener = await rawListen();
  const push = managed(new Push(options));
  push.connect(listener.endpoint);
  const peer = await listener.accept();
  await peer.handshake({ type: "PULL" });
  return { push, peer };
}

describe("framing, sent", () => {
  it("flags use MORE, LONG and COMMAND only, as each frame needs (E1)", async () => {
    const { push, peer } = await sending();
    await push.send(["a", "b".repeat(300), "c"]);
    await push.send("d".repeat(300));
    const flags = [];
    for (let i = 0; i < 4; i++) flags.push((await peer.readFrame()).flags);
    expect(flags).toEqual([1, 3, 0, 2]);
  });

  it.each([
    [0, "0000"],
    [1, "0001"],
    [255, "00ff"],
    [256, "020000000000000100"],
    [65536, "020000000000010000"],
  ])("a body of %i octets has the head %s (E2)", async (size, head) => {
    const { push, peer } = await sending();
    await push.send(Buffer.alloc(size, 7));
    expect((await peer.read(head.length / 2)).toString("hex")).toBe(head);
    expect((await peer.read(size)).equals(Buffer.alloc(size, 7))).toBe(true);
  });

  it("empty parts survive on the way out (E8)", async () => {
    const { push, peer } = await sending();
    await push.send(["", "", "x", ""]);
    await push.send([null]);
    expect(texts(await peer.readMessage())).toEqual(["", "", "x", ""]);
    expect(texts(await peer.readMessage())).toEqual([""]);
  });

  it("parts of concurrent messages never interleave, and messages keep their order (E10, E14)", async () => {
    const { push, peer } = await sending();
    const sends = Array.from({ length: 200 }, (_, i) => push.send([`${i}`, "x".repeat(i * 40), `${i}`]));
    for (let i = 0; i < 200; i++) {
      expect(texts(await peer.readMessage())).toEqual([`${i}`, "x".repeat(i * 40), `${i}`]);
    }
    await Promise.all(sends);
  });

  it("parts may be strings, numbers, views, buffers and null (E1)", async () => {
    const { push, peer } = await sending();
    const shared = new SharedArrayBuffer(2);
    new Uint8Array(shared).set([1, 2]);
    await push.send(["é", 42, new Uint16Array([0x0201]), new Uint8Array([9]).buffer, shared, null]);
    const hex = (await peer.readMessage()).map((part) => part.toString("hex"));
    expect(hex).toEqual(["c3a9", "3432", "0102", "09", "0102", ""]);
  });
});

describe("parts in shared memory", () => {
  // A Buffer's slice() is no copy.
  const VIEWS = [
    [2, "Uint8Array", (memory: SharedArrayBuffer) => new Uint8Array(memory)],
    [2, "Buffer", (memory: SharedArrayBuffer) => Buffer.from(memory)],
    [20_000, "Uint8Array", (memory: SharedArrayBuffer) => new Uint8Array(memory)],
    [20_000, "Buffer", (memory: SharedArrayBuffer) => Buffer.from(memory)],
  ] as const;
  type View = (memory: SharedArrayBuffer) => Uint8Array;
  const sharing = (size: number, view: View) => view(new SharedArrayBuffer(size)).fill(1);

  it.each(VIEWS)("%i octets of a %s go as they were when they were sent", async (size, _name, view) => {
    const { push, peer } = await sending();
    const part = sharing(size, view);
    const sent = push.send([part, part]);
    part.fill(2);
    await sent;
    for (const received of await peer.readMessage())
      expect(received.equals(Buffer.alloc(size, 1))).toBe(true);
  });

  it.each(VIEWS)("%i octets of a %s that wait for a peer do not change either", async (size, _name, view) => {
    const push = managed(new Push());
    const part = sharing(size, view);
    const sent = push.send(part);
    part.fill(2);
    const listener = await rawListen();
    push.connect(listener.endpoint);
    const peer = await listener.accept();
    await peer.handshake({ type: "PULL" });
    await sent;
    expect((await peer.readMessage())[0].equals(Buffer.alloc(size, 1))).toBe(true);
  });

  it.each(VIEWS)("%i octets of a %s are copied for inproc", async (size, _name, view) => {
    const [pull, push] = [managed(new Pull()), managed(new Push())];
    const part = sharing(size, view);
    push.connect("inproc://shared-parts");
    await push.send(part); // waits in the connector's pipe
    await pull.bind("inproc://shared-parts");
    await push.send(["x", part]);
    part.fill(2);
    const received = [...(await pull.receive()), ...(await pull.receive()).slice(1)];
    for (const one of received) {
      expect(one.buffer).toBeInstanceOf(ArrayBuffer);
      expect(one.equals(Buffer.alloc(size, 1))).toBe(true);
    }
    await pull.unbind("inproc://shared-parts");
  });

  it("a request() in line does not change either", async () => {
    const [reply, request] = [managed(new Reply()), managed(new Request())];
    request.connect(await reply.bind("tcp://127.0.0.1:*"));
    const part = Buffer.from(new SharedArrayBuffer(2)).fill("a");
    const answers = [request.request("first"), request.request(part)];
    part.fill("b");
    for (const text of ["first", "aa"]) {
      expect(texts(await reply.receive({ timeout: 20_000 }))).toEqual([text]);
      await reply.send("ok");
    }
    await Promise.all(answers);
  });
});

describe("framing, received", () => {
  it("messages that come alone, and are kept, stay as they came", async () => {
    const { peer, next, pull } = await receiving();
    const kept: Buffer[] = [];
    const sizes = Array.from({ length: 600 }, (_, i) => (i * 37) % 1100); // in memory that they share, and their own
    for (const [i, size] of sizes.entries()) {
      peer.write(message(Buffer.alloc(size, i)));
      kept.push((await pull.receive({ timeout: 20_000 }))[0]);
    }
    for (const [i, size] of sizes.entries()) expect(kept[i].equals(Buffer.alloc(size, i))).toBe(true);
    peer.write(message("end"));
    expect(await next()).toEqual(["end"]);
  });

  it("messages that come alone do not depend on what becomes of the others' memory", async () => {
    const { peer, next, pull } = await receiving();
    const alone = async (text: string) => {
      peer.write(message(text));
      return (await pull.receive({ timeout: 20_000 }))[0];
    };
    const [first, second] = [await alone("first"), await alone("second")];
    try {
      structuredClone(first.buffer, { transfer: [first.buffer as ArrayBuffer] });
    } catch (error) {
      expect(error).toHaveProperty("name", "DataCloneError"); // from Node 21 on; before, it is copied
    }
    expect(second.toString()).toBe("second");
    // Memory can be given away all the same: by ArrayBuffer.transfer(), and by streams of bytes.
    detach(second.buffer);
    expect(second.length).toBe(0);
    expect((await alone("third")).toString()).toBe("third");
    peer.write(message("fourth"));
    expect(await next()).toEqual(["fourth"]);
  });

  it.runIf(engine() === "native")(
    "a chunk whose memory is given away while it is read is read no further",
    async () => {
      const { pull, events, peer } = await receiving();
      const LAST = 3;
      let received = 0;
      let given = false;
      pull.on("message", ([part]) => {
        received++;
        // Not of messages that wait, nor of a small chunk, which is a copy.
        if (given || part[0] !== LAST || part.buffer.byteLength < 32 * 1024) return;
        given = true;
        detach(part.buffer);
      });
      const small = Buffer.concat([1, 2, LAST].map((octet) => message(Buffer.alloc(15_000, octet))));
      // The head of a large body ends each chunk: the decoder goes on behind the messages that a listener has had.
      const large = message("y".repeat(40_000));
      for (let i = 0; i < 100 && !given; i++) {
        peer.write(Buffer.concat([small, large]));
        await turns(3);
      }
      await until(() => given, "a chunk that was lent");
      await until(() => events.names.includes("disconnect"), "the end of the connection");
      const other = await rawConnected(pull.lastEndpoint as string, { type: "PUSH" });
      const before = received;
      other.write(message("next"));
      await until(() => received > before, "another message");
    },
  );

  it("the long form with a small size is accepted (E3)", async () => {
    const { peer, next } = await receiving();
    peer.write(frame("abc", { long: true, more: true }), frame("", { long: true }));
    expect(await next()).toEqual(["abc", ""]);
  });

  it.each(["8000000000000000", "ffffffffffffffff", "7fffffffffffffff", "0100000000000000"])(
    "a frame of size %s is closed, with an event and before memory is taken (E4)",
    async (size) => {
      const { pull, events, peer } = await receiving();
      const before = process.memoryUsage().rss;
      peer.write(Buffer.concat([Buffer.from([2]), Buffer.from(size, "hex"), Buffer.alloc(1000)]));
      await peer.closed();
      const event = await events.next("handshake:error:protocol");
      expect(event.error).toBeInstanceOf(Error);
      expect(process.memoryUsage().rss - before).toBeLessThan(64e6);
      expect(pull.tryReceive()).toBeUndefined();
    },
  );

  it("a command of size 2^63-1 is closed (E4)", async () => {
    const { events, peer } = await receiving();
    peer.write(Buffer.from("067fffffffffffffff", "hex"));
    await peer.closed();
    await events.next("handshake:error:protocol");
  });

  it.each([0x08, 0x10, 0x20, 0x40, 0x80, 0xf8])(
    "reserved flag bits %i are ignored (E5)",
    async (extraFlags) => {
      const { peer, next } = await receiving();
      peer.write(frame("a", { extraFlags, more: true }), frame("b", { extraFlags }));
      expect(await next()).toEqual(["a", "b"]);
    },
  );

  it("MORE on a command is ignored (E6)", async () => {
    const { peer, next } = await receiving();
    peer.write(frame("\x04JUNKx", { command: true, more: true }), message("a"));
    expect(await next()).toEqual(["a"]);
  });

  it("a command between two frames of a message is processed and the message stays whole (E7)", async () => {
    const { peer, next } = await receiving();
    peer.write(frame("a", { more: true }), command("PING", "\0\0ctx"), frame("b"));
    const pong = await peer.readCommand();
    expect([pong.name, pong.data.toString()]).toEqual(["PONG", "ctx"]);
    expect(await next()).toEqual(["a", "b"]);
  });

  it("empty frames survive anywhere in a message (E8)", async () => {
    const { peer, next } = await receiving();
    peer.write(message("", "a", "", "", "b", ""), message(""), message("", ""));
    expect(await next()).toEqual(["", "a", "", "", "b", ""]);
    expect(await next()).toEqual([""]);
    expect(await next()).toEqual(["", ""]);
  });

  it("a message cut off by the end of its connection is not delivered, in no part (E9)", async () => {
    const { pull, events, peer, next } = await receiving();
    peer.write(message("whole"), frame("half", { more: true }));
    expect(await next()).toEqual(["whole"]);
    peer.socket.end();
    await events.next("disconnect");
    expect(pull.tryReceive()).toBeUndefined();
  });

  it("a frame cut off inside its body is not delivered (E9)", async () => {
    const { pull, events, peer } = await receiving();
    peer.write(frame("x".repeat(70000)).subarray(0, 69000));
    peer.socket.end();
    await events.next("disconnect");
    expect(pull.tryReceive()).toBeUndefined();
  });

  it("one octet per write and all in one write decode alike (E11)", async () => {
    const octets = Buffer.concat([
      message("a", "", "c".repeat(255)),
      message("d".repeat(256)),
      command("JUNK", "x".repeat(30)),
      message("", "e"),
    ]);
    for (const slow of [true, false]) {
      const { peer, next } = await receiving();
      if (slow) await peer.trickle(octets);
      else peer.write(octets);
      expect(await next()).toEqual(["a", "", "c".repeat(255)]);
      expect(await next()).toEqual(["d".repeat(256)]);
      expect(await next()).toEqual(["", "e"]);
    }
  });

  it("thousands of frames in one write decode to the same messages (E11)", async () => {
    const { pull, peer } = await receiving({ receiveHighWaterMark: 0 });
    const all = Array.from({ length: 5000 }, (_, i) => message(`${i}`, "x".repeat(i % 300)));
    peer.write(...all);
    for (let i = 0; i < 5000; i++) {
      const parts = await pull.receive({ timeout: 20_000 });
      if (parts.length !== 2 || parts[0].toString() !== `${i}` || parts[1].length !== i % 300) {
        expect.fail(`message ${i} came as ${texts(parts)}`);
      }
    }
  });

  it("large frames cut at awkward places decode whole (E11)", async () => {
    const { pull, peer } = await receiving();
    const body = Buffer.alloc(200_000);
    for (let i = 0; i < body.length; i++) body[i] = (i * 7) % 251;
    const octets = Buffer.concat([message("a", body, "b"), message(body), message("end")]);
    for (let at = 0; at < octets.length; at += 33_333) {
      peer.write(octets.subarray(at, at + 33_333));
      await turns(2);
    }
    const first = await pull.receive({ timeout: 20_000 });
    expect(first.map((part) => part.length)).toEqual([1, body.length, 1]);
    expect(first[1].equals(body)).toBe(true);
    expect((await pull.receive({ timeout: 20_000 }))[0].equals(body)).toBe(true);
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["end"]);
  });

  it.each([
    ["an empty body", ""],
    ["a name length beyond the body", "\x7fAB"],
    ["a name length of zero", "\x00"],
  ])("a command with %s is ignored or closed, without an over-read (E12)", async (_, body) => {
    const { pull, peer } = await receiving();
    peer.write(frame(body, { command: true }));
    await peer.barrier();
    peer.write(message("a"));
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["a"]);
  });

  it("a frame above maxMessageSize closes the connection with an event; one of exactly that size passes (E15)", async () => {
    const { events, peer, next } = await receiving({ maxMessageSize: 1000 });
    peer.write(message("x".repeat(1000)));
    expect(await next()).toEqual(["x".repeat(1000)]);
    peer.write(message("x".repeat(1001)));
    await peer.closed();
    const event = await events.next("handshake:error:protocol");
    expect(event.error!.message).toMatch(/100[01]/);
  });

  it("maxMessageSize counts per frame, not per message (E15)", async () => {
    const { peer, next } = await receiving({ maxMessageSize: 1000 });
    peer.write(message("x".repeat(900), "y".repeat(900)));
    expect((await next()).map((part) => part.length)).toEqual([900, 900]);
  });

  it("maxMessageParts closes a connection whose message has too many parts (E15)", async () => {
    const { events, peer, next } = await receiving({ maxMessageParts: 10 });
    peer.write(message(...Array(10).fill("p")));
    expect(await next()).toHaveLength(10);
    peer.write(message(...Array(11).fill("p")));
    await peer.closed();
    await events.next("handshake:error:protocol");
  });

  it("messages before the oversize frame are delivered (E15)", async () => {
    const { pull, peer } = await receiving({ maxMessageSize: 100 });
    peer.write(message("a"), message("b"), message("x".repeat(101)));
    await peer.closed();
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["a"]);
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["b"]);
  });

  it("a READY beyond every reason is closed before it is read whole (E15)", async () => {
    const pull = managed(new Pull());
    const events = record(pull);
    const peer = await rawDial(await pull.bind("tcp://127.0.0.1:*"));
    const head = Buffer.from("060000000040000000", "hex"); // a command of 1 GiB
    peer.write(greeting(), head, ready("PUSH").subarray(2));
    await peer.closed();
    await events.next("handshake:error:protocol");
  });
});
