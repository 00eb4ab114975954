/**
 * Sections B, C and D: mechanism negotiation, the NULL handshake with READY metadata, socket compatibility, and what
 * happens when a handshake fails. Against a raw peer; the types are checked in pairs.
 */
import { describe, expect, it } from "vitest";
import { Publisher, Pull, Push, Reply, Request, Subscriber } from "../../src/index.js";
import {
  freePort,
  managed,
  rawConnected,
  rawDial,
  rawListen,
  record,
  TRANSPORTS,
  texts,
} from "../support/helpers.js";
import {
  command,
  commandBody,
  frame,
  greeting,
  message,
  metadata,
  type Properties,
  parseMetadata,
  ping,
  ready,
} from "../support/raw-peer.js";

const TYPES = { REQ: Request, REP: Reply, PUB: Publisher, SUB: Subscriber, PUSH: Push, PULL: Pull } as const;
type TypeName = keyof typeof TYPES;
const COMPATIBLE = new Set(["REQ-REP", "REP-REQ", "PUB-SUB", "SUB-PUB", "PUSH-PULL", "PULL-PUSH"]);

async function bound(type: TypeName = "PULL", options = {}) {
  const socket = managed(new TYPES[type](options));
  const events = record(socket);
  return { socket, events, endpoint: await socket.bind("tcp://127.0.0.1:*") };
}

/** A handshake that must fail: closed with a protocol event, nothing delivered. Gives the event. */
async function refused(...octets: Buffer[]) {
  const { socket, events, endpoint } = await bound("PULL");
  const peer = await rawDial(endpoint);
  peer.write(...octets);
  await peer.closed();
  const event = await events.next("handshake:error:protocol");
  expect(event.error!.message).not.toBe("");
  expect(events.of("handshake")).toHaveLength(0);
  expect((socket as Pull).tryReceive()).toBeUndefined();
  return event;
}

describe("mechanism", () => {
  it.each(["PLAIN", "CURVE", "null", "NUL", "NULLX", "NULL\0X", "\0NULL"])(
    "mechanism %j does not match NULL and is closed (B1)",
    async (mechanism) => {
      await refused(greeting({ mechanism }), ready("PUSH"), message("x"));
    },
  );

  it("all 20 octets of the mechanism count, the last one too (B1)", async () => {
    const octets = greeting();
    octets[31] = 1;
    await refused(octets, ready("PUSH"));
  });

  it("a peer that is refused has been sent our complete greeting first (B2)", async () => {
    const { endpoint } = await bound();
    const peer = await rawDial(endpoint);
    peer.write(greeting({ mechanism: "CURVE" }));
    const ours = await peer.readToEnd();
    expect(ours.length).toBeGreaterThanOrEqual(64);
    expect(ours.toString("latin1", 12, 16)).toBe("NULL");
  });

  it("as-server is 0 under NULL, and the peer's is not checked (B3)", async () => {
    const { socket, endpoint } = await bound();
    const peer = await rawDial(endpoint);
    const { greeting: ours } = await peer.handshake({ type: "PUSH", asServer: 1 });
    expect(ours.asServer).toBe(0);
    await socket.connected({ timeout: 20_000 });
  });

  it("the event names the mechanism that the peer announced (B9)", async () => {
    const event = await refused(greeting({ mechanism: "GSSAPI" }));
    expect(event.error!.message).toContain("GSSAPI");
  });
});

describe("NULL handshake", () => {
  it("READY goes out when both greetings are in, without a wait for the peer's (C1)", async () => {
    const { endpoint } = await bound();
    const peer = await rawDial(endpoint);
    peer.write(greeting());
    await peer.readGreeting();
    expect((await peer.readCommand()).name).toBe("READY");
  });

  it("a listener that waits for the client's READY before it answers completes (C1)", async () => {
    const listener = await rawListen();
    const push = managed(new Push());
    push.connect(listener.endpoint);
    const peer = await listener.accept();
    peer.write(greeting());
    await peer.readGreeting();
    expect((await peer.readCommand()).name).toBe("READY");
    peer.write(ready("PULL"));
    await push.connected({ timeout: 20_000 });
  });

  it.each([
    ["a message", message("hello")],
    ["PING", ping()],
    ["SUBSCRIBE", command("SUBSCRIBE", "x")],
    ["an unknown command", command("HELLO", "x")],
    ["junk", Buffer.alloc(64, "1")],
    ["an empty command", frame("", { command: true })],
    ["a READY cut short", frame(commandBody("READ"), { command: true })],
  ])("%s as the first frame is closed as unexpected (C2)", async (_, octets) => {
    await refused(greeting(), octets);
  });

  it("our READY is one command frame with flags 04 (C3)", async () => {
    const { endpoint } = await bound();
    const peer = await rawDial(endpoint);
    peer.write(greeting());
    await peer.readGreeting();
    const { frame: first } = await peer.readCommand();
    expect(first.flags).toBe(4);
    expect(first.body.subarray(0, 6)).toEqual(Buffer.from("\x05READY", "latin1"));
  });

  it("our properties are length-prefixed names and 32-bit length-prefixed values (C4)", async () => {
    const { endpoint } = await bound("PULL");
    const peer = await rawDial(endpoint);
    peer.write(greeting());
    await peer.readGreeting();
    expect((await peer.readCommand()).data).toEqual(metadata([["Socket-Type", "PULL"]]));
  });

  it.each(["socket-type", "SOCKET-TYPE", "sOCKET-tYPE"])(
    "property names compare case-insensitively (%s) (C5)",
    async (name) => {
      const { socket, endpoint } = await bound();
      const peer = await rawDial(endpoint);
      peer.write(greeting(), command("READY", metadata([[name, "PUSH"]])), message("x"));
      expect(texts(await (socket as Pull).receive({ timeout: 20_000 }))).toEqual(["x"]);
    },
  );

  it.each(["push", "Push", "XREQ", "", "PUSH\0"])(
    "Socket-Type %j is refused: the match is exact (C7)",
    async (type) => {
      await refused(greeting(), ready(type));
    },
  );

  for (const ours of Object.keys(TYPES) as TypeName[]) {
    for (const theirs of Object.keys(TYPES) as TypeName[]) {
      const fits = COMPATIBLE.has(`${ours}-${theirs}`);
      it(`${ours} ${fits ? "takes" : "refuses"} a ${theirs} peer (C8)`, async () => {
        const { socket, events, endpoint } = await bound(ours);
        const peer = await rawDial(endpoint);
        peer.write(greeting(), ready(theirs));
        if (fits) {
          await socket.connected({ timeout: 20_000 });
          expect(socket.peers.map((one) => one.socketType)).toEqual([theirs]);
        } else {
          await peer.closed();
          await events.next("handshake:error:protocol");
          expect(socket.peers).toHaveLength(0);
        }
      });
    }
  }

  it.each([
    ["REQ", "ROUTER"],
    ["REP", "DEALER"],
    ["PUB", "XSUB"],
    ["SUB", "XPUB"],
  ] as const)("%s takes a %s peer (C8)", async (ours, theirs) => {
    const { socket, endpoint } = await bound(ours);
    await rawConnected(endpoint, { type: theirs });
    await socket.connected({ timeout: 20_000 });
  });

  it("an incompatible type gets ERROR with a reason, then the connection closes (C9)", async () => {
    const { events, endpoint } = await bound("PULL");
    const peer = await rawDial(endpoint);
    peer.write(greeting(), ready("PUB"));
    await peer.readGreeting();
    let next = await peer.readCommand();
    if (next.name === "READY") next = await peer.readCommand();
    expect(next.name).toBe("ERROR");
    expect(next.frame.flags).toBe(4);
    // D1: one length byte, then that many printable bytes, and nothing else.
    expect(next.data.length).toBe(1 + next.data[0]);
    expect(next.data.toString("latin1", 1)).toMatch(/^[\x20-\x7e]+$/);
    await peer.closed();
    const event = await events.next("handshake:error:protocol");
    expect(event.error!.message).toMatch(/PUB/);
  });

  it("REQ sends Identity, empty when unset (C11)", async () => {
    const { endpoint } = await bound("REQ");
    const peer = await rawDial(endpoint);
    const { properties } = await peer.handshake({ type: "REP" });
    expect([...properties]).toEqual([
      ["Socket-Type", Buffer.from("REQ")],
      ["Identity", Buffer.alloc(0)],
    ]);
  });

  it("REQ sends the routingId that was set as its Identity (C11)", async () => {
    const { endpoint } = await bound("REQ", { routingId: "client-7" });
    const peer = await rawDial(endpoint);
    const { properties } = await peer.handshake({ type: "ROUTER" });
    expect(properties.get("Identity")).toEqual(Buffer.from("client-7"));
  });

  it.each(["REP", "PUB", "SUB", "PUSH", "PULL"] as const)("%s never sends Identity (C11)", async (type) => {
    const partner = { REP: "REQ", PUB: "SUB", SUB: "PUB", PUSH: "PULL", PULL: "PUSH" }[type];
    const { endpoint } = await bound(type);
    const peer = await rawDial(endpoint);
    const { properties } = await peer.handshake({ type: partner });
    expect([...properties.keys()]).toEqual(["Socket-Type"]);
  });

  it("a local identity has 1 to 255 bytes, of any value (C12)", () => {
    expect(() => new Request({ routingId: "" })).toThrow(RangeError);
    expect(() => new Request({ routingId: "x".repeat(256) })).toThrow(RangeError);
    for (const name of ["\0", "\0x", "\0abcd"]) {
      expect(managed(new Request({ routingId: name })).routingId).toEqual(Buffer.from(name));
    }
    expect(managed(new Request({ routingId: "x".repeat(255) })).routingId).toEqual(
      Buffer.from("x".repeat(255)),
    );
  });

  it("unknown properties are kept and exposed (C15)", async () => {
    const { socket, endpoint } = await bound();
    const properties: Properties = [
      ["X-Colour", "blue"],
      ["Whatever", Buffer.from([0, 1, 2])],
      ["Empty", ""],
    ];
    await rawConnected(endpoint, { type: "PUSH", properties });
    await socket.connected({ timeout: 20_000 });
    const { metadata: seen } = socket.peers[0];
    expect(seen.get("X-Colour")).toEqual(Buffer.from("blue"));
    expect(seen.get("Whatever")).toEqual(Buffer.from([0, 1, 2]));
    expect(seen.get("Empty")).toEqual(Buffer.alloc(0));
  });

  it.each([
    ["one stray octet", Buffer.from([1])],
    ["a name without a value", Buffer.from("\x01x", "latin1")],
    ["a value length cut short", Buffer.from("\x01x\0\0\0", "latin1")],
    ["a value cut short", Buffer.from("\x01x\0\0\0\x05abc", "latin1")],
  ])("truncated properties (%s) are closed (C18)", async (_, tail) => {
    await refused(greeting(), command("READY", Buffer.concat([metadata([["Socket-Type", "PUSH"]]), tail])));
  });

  it("a property without a name is closed (C19)", async () => {
    await refused(greeting(), ready("PUSH", [["", "x"]]));
  });

  it.each([0x7fffffff, 0x80000000, 0xffffffff])(
    "a property value announced with %i octets is closed (C20)",
    async (size) => {
      const head = Buffer.from("\x01x\0\0\0\0", "latin1");
      head.writeUInt32BE(size, 2);
      await refused(greeting(), command("READY", Buffer.concat([metadata([["Socket-Type", "PUSH"]]), head])));
    },
  );

  it("a Resource property is accepted whatever it says (C21)", async () => {
    const { socket, endpoint } = await bound();
    await rawConnected(endpoint, { type: "PUSH", properties: [["Resource", "nowhere/at all"]] });
    await socket.connected({ timeout: 20_000 });
  });

  it("data glued right behind READY is delivered in order (C24)", async () => {
    const { socket, endpoint } = await bound();
    const peer = await rawDial(endpoint);
    const messages = Array.from({ length: 50 }, (_, i) => message(`m${i}`, "tail"));
    peer.write(greeting(), ready("PUSH"), ...messages);
    for (let i = 0; i < 50; i++) {
      expect(texts(await (socket as Pull).receive({ timeout: 20_000 }))).toEqual([`m${i}`, "tail"]);
    }
  });

  it.each(TRANSPORTS)(
    "a $name peer's address, socket type and identity are readable (C25)",
    async ({ endpoint }) => {
      const reply = managed(new Reply());
      const request = managed(new Request({ routingId: "me" }));
      const actual = await reply.bind(endpoint());
      request.connect(actual);
      await Promise.all([reply.connected({ timeout: 20_000 }), request.connected({ timeout: 20_000 })]);
      const [seen] = reply.peers;
      expect(seen.socketType).toBe("REQ");
      expect(seen.routingId).toEqual(Buffer.from("me"));
      expect(seen.address).toContain("://");
      expect(request.peers[0].socketType).toBe("REP");
      expect(request.peers[0].address).toBe(actual);
    },
  );
});

describe("failed handshake", () => {
  /** A Push that dials a raw listener, with everything that it tells. */
  async function dialling(options = {}) {
    const listener = await rawListen();
    const push = managed(new Push({ reconnectInterval: 10, ...options }));
    const events = record(push);
    push.connect(listener.endpoint);
    return { listener, push, events };
  }

  it("ERROR while dialling: closed, an event with its reason, and no further attempt (D2)", async () => {
    const { listener, push, events } = await dialling();
    const peer = await listener.accept();
    peer.write(greeting(), command("ERROR", "\x09not today"));
    await peer.closed();
    const event = await events.next("handshake:error:");
    expect(event.error!.message).toContain("not today");
    // The endpoint is given up: the event for that comes instead of the one that announces another attempt.
    await events.next("close");
    expect(events.of("connect:retry")).toHaveLength(0);
    expect(events.of("connect")).toHaveLength(1);
    expect(listener.accepted).toBe(1);
    expect(push.peers).toHaveLength(0);
  });

  it.each(["300", "400", "500"])(
    "ERROR with the reason %s is an authentication failure (D3)",
    async (status) => {
      const { listener, events } = await dialling();
      const peer = await listener.accept();
      peer.write(greeting(), command("ERROR", `\x03${status}`));
      const event = await events.next("handshake:error:auth");
      expect(event.error!.message).toContain(status);
    },
  );

  it("an ERROR whose reason overruns the frame is a protocol error (D4)", async () => {
    const { listener, events } = await dialling();
    const peer = await listener.accept();
    peer.write(greeting(), command("ERROR", "\xffno"));
    await peer.closed();
    await events.next("handshake:error:protocol");
  });

  it("ERROR after the handshake is ignored (D5)", async () => {
    const { listener, push } = await dialling();
    const peer = await listener.accept();
    await peer.handshake({ type: "PULL" });
    peer.write(command("ERROR", "\x02no"));
    await peer.barrier();
    await push.send("still here");
    expect(texts(await peer.readMessage())).toEqual(["still here"]);
  });

  it("a plain close during the handshake is temporary: the socket dials again after the interval (D6)", async () => {
    const { listener, push, events } = await dialling();
    (await listener.accept()).close();
    const second = await listener.accept();
    second.write(greeting());
    await second.readGreeting();
    second.close();
    const third = await listener.accept();
    await third.handshake({ type: "PULL" });
    await push.send("x");
    expect(texts(await third.readMessage())).toEqual(["x"]);
    for (const { interval } of events.of("connect:retry")) expect(interval).toBeLessThan(20); // not D8's
  });

  it.each([
    ["a wrong mechanism", greeting({ mechanism: "PLAIN" })],
    ["a wrong socket type", Buffer.concat([greeting(), ready("PUB")])],
    ["junk", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")],
  ])("after a protocol error (%s) a dialling socket waits at least a second (D8)", async (_, octets) => {
    const { listener, events } = await dialling();
    const peer = await listener.accept();
    peer.write(octets);
    await events.next("handshake:error:protocol");
    const retry = await events.next("connect:retry");
    expect(retry.interval).toBeGreaterThanOrEqual(1000);
    const second = await listener.accept();
    expect(listener.times[1] - listener.times[0]).toBeGreaterThan(990);
    // And then it is well again.
    await second.handshake({ type: "PULL" });
  });

  it("a dial that lands on itself is not taken for a peer (D9)", async () => {
    // Source and destination port are the same free port: the kernel connects such a socket to itself.
    const endpoint = await freePort();
    const push = managed(new Push({ reconnectInterval: 10 }));
    const events = record(push);
    push.connect(`${endpoint};${endpoint.slice("tcp://".length)}`);
    await events.next("connect:retry", 2);
    expect(events.of("handshake")).toHaveLength(0);
  });

  it("one refused peer does not disturb another one (C8)", async () => {
    const { socket, events, endpoint } = await bound("PULL");
    const good = await rawConnected(endpoint, { type: "PUSH" });
    const bad = await rawDial(endpoint);
    bad.write(greeting(), ready("SUB"));
    await events.next("handshake:error:protocol");
    good.write(message("x"));
    expect(texts(await (socket as Pull).receive({ timeout: 20_000 }))).toEqual(["x"]);
  });

  it("a READY that needs the long form (over 255 octets) is read (C3)", async () => {
    const { socket, endpoint } = await bound("PULL");
    const peer = await rawDial(endpoint);
    peer.write(greeting(), ready("PUSH", [["X-Long", "v".repeat(400)]]));
    await socket.connected({ timeout: 20_000 });
    expect(socket.peers[0].metadata.get("X-Long")).toHaveLength(400);
    await peer.readGreeting();
    expect(parseMetadata((await peer.readCommand()).data).get("Socket-Type")).toEqual(Buffer.from("PULL"));
  });
});
