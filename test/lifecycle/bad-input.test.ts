/**
 * Bad input: each kind closes that one connection with an event that says why, takes bounded memory, and a good peer
 * that sends all the while notices nothing.
 */
import { expect, it } from "vitest";
import { besideGoodPeer, reason } from "../support/good-peer.js";
import { rawDial, until } from "../support/helpers.js";
import { randomFrom } from "../support/random.js";
import { command, frame, greeting, message, metadata, ready } from "../support/raw-peer.js";

it("a port scanner that connects and goes", async () => {
  const rig = await besideGoodPeer();
  for (let i = 0; i < 20; i++) {
    const scanner = await rawDial(rig.endpoint);
    if (i % 2 === 0) scanner.socket.end();
    else scanner.reset();
    await reason(rig.events, i + 1);
  }
  await rig.unharmed();
});

it.each([
  ["HTTP", Buffer.from("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: curl/8.0\r\nAccept: */*\r\n\r\n")],
  [
    "a TLS hello",
    Buffer.concat([
      Buffer.from("16030100c8010000c40303", "hex"),
      Buffer.alloc(190, 0x5a),
      Buffer.from("00", "hex"),
    ]),
  ],
  ["an SSH banner", Buffer.from("SSH-2.0-OpenSSH_9.6\r\n")],
  ["a greeting of libzmq 2", Buffer.from("ff00000000000000017f000800", "hex")],
  ["a greeting of ZMTP 2.0 of no known type", Buffer.from("ff00000000000000017f010b0000", "hex")],
])("%s is closed at once", async (_, octets) => {
  const rig = await besideGoodPeer({ handshakeInterval: 20_000 });
  const bad = await rawDial(rig.endpoint);
  bad.write(octets);
  await bad.closed();
  expect((await reason(rig.events)).type).toBe("handshake:error:protocol");
  await rig.unharmed();
});

it("random octets, in a hundred connections", async () => {
  const rig = await besideGoodPeer({ handshakeInterval: 400 });
  const random = randomFrom(99);
  for (let i = 0; i < 100; i++) {
    const bad = await rawDial(rig.endpoint);
    const octets = Buffer.alloc(64 + (i % 5) * 1000);
    for (let j = 0; j < octets.length; j++) octets[j] = random(256);
    bad.write(octets);
    await bad.closed();
    await reason(rig.events, i + 1);
  }
  await rig.unharmed();
});

it("a greeting fed octet by octet is closed by the handshake timer, whatever comes", async () => {
  const rig = await besideGoodPeer({ handshakeInterval: 2500 });
  const began = performance.now();
  const bad = await rawDial(rig.endpoint);
  const octets = greeting();
  let fed = 0;
  const feeder = setInterval(() => bad.write(octets.subarray(fed, ++fed)), 200);
  bad.write(octets.subarray(fed, ++fed));
  await bad.closed();
  clearInterval(feeder);
  expect(performance.now() - began).toBeGreaterThan(2000);
  expect(fed).toBeLessThan(64);
  expect(fed).toBeGreaterThanOrEqual(3);
  expect((await reason(rig.events)).error!.message).toMatch(/2500|handshake/);
  await rig.unharmed();
});

it.each([
  ["2^63-1", "7fffffffffffffff"],
  ["2^63", "8000000000000000"],
  ["2^64-1", "ffffffffffffffff"],
  ["2^31", "0000000080000000"],
])("a frame announcing %s octets", async (_, size) => {
  const rig = await besideGoodPeer();
  const bad = await rawDial(rig.endpoint);
  bad.write(greeting(), ready("PUSH"), Buffer.from(`02${size}`, "hex"), Buffer.alloc(10_000));
  await bad.closed();
  const event = await reason(rig.events);
  expect(event.peer!.socketType).toBe("PUSH");
  expect(rig.state.foreign).toBe(0);
  await rig.unharmed();
});

it("a frame announcing all that is allowed takes no memory before its octets come", async () => {
  const rig = await besideGoodPeer();
  const bads = [];
  for (let i = 0; i < 20; i++) {
    const bad = await rawDial(rig.endpoint);
    bad.write(greeting(), ready("PUSH"), Buffer.from("02000000007fffffff", "hex"), Buffer.alloc(1000));
    bads.push(bad);
  }
  await rig.pull.connected({ count: 21, timeout: 20_000 });
  await rig.unharmed();
  for (const bad of bads) bad.close();
});

it("a message of a million empty parts", async () => {
  const rig = await besideGoodPeer();
  const bad = await rawDial(rig.endpoint);
  bad.write(greeting(), ready("PUSH"));
  bad.write(Buffer.alloc(2_000_000, Buffer.from([1, 0])), frame("end"));
  await bad.closed();
  expect((await reason(rig.events)).error!.message).toMatch(/part/);
  expect(rig.state.foreign).toBe(0);
  await rig.unharmed();
});

it.each([
  [
    "a hundred thousand properties",
    () => command("READY", metadata(Array.from({ length: 100_000 }, (_, i) => [`X-${i}`, "v"] as const))),
  ],
  [
    "a value of 64 MB",
    () =>
      command(
        "READY",
        metadata([
          ["Socket-Type", "PUSH"],
          ["X-Big", Buffer.alloc(64 << 20)],
        ]),
      ),
  ],
  ["a value announced with 4 GB", () => command("READY", Buffer.from("\x01x\xff\xff\xff\xff", "latin1"))],
  ["a command announced with 2^62 octets", () => Buffer.from("064000000000000000", "hex")],
])("a metadata bomb: %s", async (_, bomb) => {
  const octets = bomb();
  const rig = await besideGoodPeer({ handshakeInterval: 20_000 });
  const bad = await rawDial(rig.endpoint);
  bad.write(greeting(), octets);
  await bad.closed();
  expect((await reason(rig.events)).type).toBe("handshake:error:protocol");
  await rig.unharmed();
});

it("a flood of PINGs from a peer that does not read takes bounded memory", async () => {
  const rig = await besideGoodPeer();
  const bad = await rawDial(rig.endpoint);
  await bad.handshake({ type: "PUSH" });
  bad.pause();
  const flood = Buffer.concat(Array(20_000).fill(command("PING", "\0\0sixteen octets!!")));
  for (let i = 0; i < 20; i++) bad.write(flood);
  bad.write(message("foreign"));
  await until(() => rig.state.foreign === 1 || bad.ended, "the flood is through", 20_000);
  await rig.unharmed();
});

it("a hundred peers that stall in the middle of the handshake are all closed in time", async () => {
  const rig = await besideGoodPeer({ handshakeInterval: 400 });
  const bads = await Promise.all(Array.from({ length: 100 }, () => rawDial(rig.endpoint)));
  for (const bad of bads) bad.write(greeting().subarray(0, 30));
  await Promise.all(bads.map((bad) => bad.closed()));
  await reason(rig.events, 100);
  await rig.unharmed();
});
