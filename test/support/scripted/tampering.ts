/**
 * What a hostile peer changes in its handshake: each step repeated, left out, cut short, made longer or replaced. Every
 * byte is flipped in unit/zmtp/hostile-handshake; here a sample is.
 */
import { expect } from "vitest";
import { type besideGoodPeer, reason } from "../good-peer.js";
import { command, frame, message, ping, type RawPeer } from "../raw-peer.js";
import { type CurveClient, random } from "./curve.js";
import type { PlainClient } from "./plain.js";
import { flip, say, type Tamper } from "./script.js";
import { refused } from "./secured.js";

type Rig = Awaited<ReturnType<typeof besideGoodPeer>>;

/** A change to one step; what it does is in its name. */
export type Change = readonly [what: string, step: string, change: (octets: Buffer, body: Buffer) => Buffer];

export const longer = (_: Buffer, body: Buffer) =>
  frame(Buffer.concat([body, Buffer.of(0)]), { command: true });
export const shorter = (octets: number) => (_: Buffer, body: Buffer) =>
  frame(body.subarray(0, body.length - octets), { command: true });
export const nothing = () => Buffer.alloc(0);
export const named = (name: string) => (_: Buffer, body: Buffer) => command(name, body.subarray(1 + body[0]));
export const tampering = ([, step, change]: Change): Tamper => {
  return (name, octets, body) => (name === step ? change(octets, body) : octets);
};

/** Changes that spoil any command of either mechanism. */
export function spoils(step: string): Change[] {
  return [
    ["repeated", step, (octets) => Buffer.concat([octets, octets])],
    ["cut by one octet", step, shorter(1)],
    ["cut to its name", step, (_, body) => frame(body.subarray(0, 1 + body[0]), { command: true })],
    ["an empty command", step, () => frame("", { command: true })],
    ["a name longer than the command", step, (_, body) => frame(flip(body, 0), { command: true })],
    ["READY in its place", step, named("READY")],
    ["MESSAGE in its place", step, named("MESSAGE")],
    ["an unknown command in its place", step, named("HULLO")],
    ["a PING before it", step, (octets) => Buffer.concat([ping(0, "x"), octets])],
    ["a message before it", step, (octets) => Buffer.concat([message("foreign"), octets])],
    ["64 KiB of zeros in its place", step, () => command(step, Buffer.alloc(65_536))],
    ["random octets in its place", step, () => random(300)],
  ];
}

export const curveSpoils = (step: string, flips: number[]): Change[] => [
  ...spoils(step),
  ["one octet longer", step, longer],
  ["cut by half", step, (octets, body) => shorter(Math.floor(body.length / 2))(octets, body)],
  ...flips.map(
    (at): Change => [`octet ${at} flipped`, step, (_, body) => frame(flip(body, at), { command: true })],
  ),
];

/** After what may still look like a success to the attacker: its messages must not arrive. */
export async function attack(
  rig: Rig,
  peer: RawPeer,
  script: CurveClient | PlainClient,
  nth: number,
  what: string,
) {
  try {
    if (!(await refused(peer, script))) say(peer, script, "foreign");
    await peer.closed();
  } catch (error) {
    throw new Error(what, { cause: error });
  }
  const event = await reason(rig.events, nth);
  expect(rig.events.of("handshake:error:").length, what).toBe(nth);
  expect(rig.state.foreign, what).toBe(0);
  return event;
}

/** Longer than a test: nobody is sent away for being slow. */
export const LONG = { handshakeInterval: 20_000 };
