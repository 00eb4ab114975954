/**
 * A scripted ZMTP peer: what it says in a handshake, step by step, and each step may be replaced by something else.
 * Sans I/O; the drivers at the end play a script over a raw connection. Written from the RFCs alone: knows nothing of
 * zwire, so that an error of zwire cannot hide behind itself. It does what it is told and does not defend itself.
 */
import { frame, type GreetingOptions, greeting, parseMetadata, type RawPeer } from "../raw-peer.js";

/** Bytes to send instead of a step's frame. */
export type Tamper = (step: string, octets: Buffer, body: Buffer) => Buffer;

/** What every script may be told. */
export interface ScriptOptions {
  /** Socket type in the metadata. */
  readonly type: string;
  /** Further properties, in order. */
  readonly properties?: ReadonlyArray<readonly [name: string, value: string | Buffer]>;
  /** The whole metadata, right or wrong, instead. */
  readonly metadata?: Buffer;
  /** Changes what is sent. */
  readonly tamper?: Tamper;
  /** Changes the greeting. */
  readonly greeting?: GreetingOptions;
}

/** A frame taken out of its protection. */
export interface Plain {
  readonly flags: number;
  readonly body: Buffer;
}

/** One side of a handshake and what protects the frames after it. */
export interface Script {
  readonly greeting: GreetingOptions;
  /** Whether both sides have said all. */
  readonly done: boolean;
  /** What the far side said of itself. */
  readonly theirs: ReadonlyMap<string, Buffer>;
  /** Bytes to send once the greetings are exchanged; empty for none. */
  begin(): Buffer;
  /** A frame's body from the far side; answers with bytes to send. Throws for what is not as it must be. */
  next(body: Buffer): Buffer;
  /** Bytes of a protected frame. */
  seal(flags: number, body: Buffer | string): Buffer;
  /** Opens a frame's body, with the flags of the outer frame. */
  open(flags: number, body: Buffer): Plain;
}

/** MORE and COMMAND of frames without protection. */
export const MORE = 1;

/** Name and data of a command. */
export function split(body: Buffer): { name: string; data: Buffer } {
  const end = 1 + body[0];
  return { name: body.toString("latin1", 1, end), data: body.subarray(end) };
}

/** Properties that may be malformed: then none. */
export function propertiesOf(data: Buffer): Map<string, Buffer> {
  return parseMetadata(Buffer.from(data));
}

/** A copy with one byte changed. */
export function flip(octets: Buffer, at: number, mask = 0xff): Buffer {
  const copy = Buffer.from(octets);
  copy[at] ^= mask;
  return copy;
}

/** Wraps a handshake command, and lets it be tampered with. */
export function commandFrame(step: string, body: Buffer, tamper: Tamper | undefined): Buffer {
  const octets = frame(body, { command: true });
  return tamper === undefined ? octets : tamper(step, octets, body);
}

/** Plays the handshake to its end over a raw connection. Fails where the far side does not. */
export async function shake(peer: RawPeer, script: Script): Promise<void> {
  peer.write(greeting(script.greeting));
  await peer.readGreeting();
  peer.write(script.begin());
  while (!script.done) peer.write(script.next((await peer.readFrame()).body));
}

/** Sends one message. */
export function say(peer: RawPeer, script: Script, ...parts: Array<Buffer | string>): void {
  peer.write(...parts.map((part, i) => script.seal(i < parts.length - 1 ? MORE : 0, part)));
}

/** Reads one message. */
export async function hear(peer: RawPeer, script: Script): Promise<Buffer[]> {
  const parts: Buffer[] = [];
  for (;;) {
    const outer = await peer.readFrame();
    const { flags, body } = script.open(outer.flags, outer.body);
    parts.push(body);
    if ((flags & MORE) === 0) return parts;
  }
}
