/**
 * Random bytes, from a seeded generator: nothing but a ProtocolError is ever thrown, and however the bytes are cut
 * the result is the same. A failing case prints its seed.
 */
import { describe, expect, it } from "vitest";
import { parseCommand, parsePing } from "../../../src/wire/zmtp/command.js";
import { encodeMetadata, parseMetadata } from "../../../src/wire/zmtp/metadata.js";
import { ProtocolError } from "../../../src/wire/zmtp/protocol-error.js";
import { alike, same } from "../../support/same.js";
import { BAD_HANDSHAKES } from "../../vectors/bad-handshake.js";
import { BAD_GREETINGS, OUR_GREETING } from "../../vectors/greeting.js";
import { GOOD_HANDSHAKES } from "../../vectors/handshake.js";
import { runHandshake } from "./run.js";

/** mulberry32: small, and the same everywhere. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 to `below` - 1. */
  integer(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  }

  octets(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.integer(256)));
  }

  pick<T>(items: readonly T[]): T {
    return items[this.integer(items.length)];
  }

  /** Cut anywhere, into up to a dozen chunks, some of them empty. */
  chunks(octets: Buffer): Buffer[] {
    const cuts = Array.from({ length: this.integer(12) }, () => this.integer(octets.length + 1));
    const ends = [...cuts.sort((a, b) => a - b), octets.length];
    return ends.map((end, i) => octets.subarray(i === 0 ? 0 : ends[i - 1], end));
  }
}

const SEEDS = Array.from({ length: 8 }, (_, i) => 0x5eed + i);
const CASES_PER_SEED = 250;
const LIMIT = 4096;
/** Pieces that get a random stream past the first checks. */
const VECTORS = [...GOOD_HANDSHAKES, ...BAD_HANDSHAKES, ...BAD_GREETINGS].map(({ octets }) => octets);
const WORDS = ["05READY", "05ERROR", "0bSocket-Type", "08Identity", "04PUSH", "04PING"].map((word) =>
  Buffer.concat([Buffer.from(word.slice(0, 2), "hex"), Buffer.from(word.slice(2))]),
);

/** A stream that is more or less like a handshake. */
function stream(random: Random): Buffer {
  switch (random.integer(4)) {
    case 0:
      return random.octets(random.integer(200));
    case 1:
      return Buffer.concat([OUR_GREETING, random.octets(random.integer(300))]);
    case 2: {
      // A good or bad handshake with a few bytes changed, or cut off somewhere.
      const octets = Buffer.concat([random.pick(VECTORS), random.octets(random.integer(20))]);
      for (let i = random.integer(3); i > 0; i--) octets[random.integer(octets.length)] = random.integer(256);
      return random.integer(3) > 0 ? octets : octets.subarray(0, random.integer(octets.length));
    }
    default: {
      const body = Buffer.concat(
        Array.from({ length: random.integer(6) }, () =>
          random.integer(3) === 0 ? random.octets(random.integer(9)) : random.pick(WORDS),
        ),
      );
      const wrongBy = random.integer(4) === 0 ? random.integer(9) - 4 : 0;
      return Buffer.concat([OUR_GREETING, Buffer.from([4, (body.length + wrongBy) & 0xff]), body]);
    }
  }
}

describe("random octets", () => {
  it.each(SEEDS)("handshake: any cut gives the same result, seed %i (A23, U6)", (seed) => {
    const random = new Random(seed);
    const states = new Set<string>();
    for (let i = 0; i < CASES_PER_SEED; i++) {
      const octets = stream(random);
      const config = { socketType: random.pick(["PULL", "REP", "ROUTER", "SUB"]), maxHandshakeBytes: LIMIT };
      const whole = runHandshake(config, [octets]);
      states.add(whole.state);
      for (let cut = 0; cut < 3; cut++) {
        const outcome = runHandshake(config, random.chunks(octets));
        alike(without(outcome), without(whole), () => octets.toString("hex"));
      }
    }
    // The streams are of use only when they reach every state.
    const all = ["done", "failed", "greeting", "mechanism"];
    expect([...states].filter((state) => state !== "legacy").sort()).toEqual(all);
  });

  it.each(SEEDS)("parsers throw a ProtocolError or nothing, seed %i (C18, C20, E12)", (seed) => {
    const random = new Random(seed);
    for (let i = 0; i < CASES_PER_SEED * 5; i++) {
      const octets = random.octets(random.integer(40));
      if (octets.length > 4 && random.integer(2) === 0) octets[0] = random.integer(octets.length);
      const command = parseCommand(octets);
      if (command !== undefined) same(1 + command.name.length + command.data.length, octets.length);
      same(parsePing(octets) === undefined, octets.length < 2);
      try {
        parseMetadata(octets);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }
  });

  it.each(SEEDS)("properties survive the way there and back, seed %i (C4)", (seed) => {
    const random = new Random(seed);
    for (let i = 0; i < CASES_PER_SEED / 8; i++) {
      const properties = Array.from({ length: random.integer(10) }, (_, n): [string, Buffer] => [
        `X-${n}-${"n".repeat(random.integer(100))}`,
        random.octets(random.integer(400)),
      ]);
      expect(written([...parseMetadata(encodeMetadata(properties))])).toBe(written(properties));
    }
  });
});

function written(properties: [string, Buffer][]): string {
  return properties.map(([name, value]) => `${name}=${value.toString("hex")}`).join();
}

function without<T extends { failedAfter?: number }>(outcome: T): T {
  return { ...outcome, failedAfter: 0 };
}
