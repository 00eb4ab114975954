/**
 * Sends messages to the members of groups (RFC 48 §The RADIO Socket Type; items N8 to N10, N12). Group names match exactly,
 * not by prefix. Knows pipes.
 */

import type { OutMessage } from "../base/message.js";
import { Buffer } from "../base/platform.js";
import type { Pipe, PipeOwner } from "../engine/pipe.js";
import { FanOut } from "./fan-out.js";
import type { Overflow } from "./overflow.js";

/** Most groups that one peer may join. */
const MAX_GROUPS = 65536;
const GROUP_BYTES = 255;

/**
 * Checks the name of a group (N10): at most 255 bytes, none of them zero.
 * @throws TypeError, RangeError
 */
export function checkGroup(group: unknown): Buffer {
  if (typeof group !== "string" && !(group instanceof Uint8Array)) {
    throw new TypeError("group must be a string or a Uint8Array");
  }
  const bytes = typeof group === "string" ? Buffer.from(group) : Buffer.from(group);
  if (bytes.length > GROUP_BYTES || bytes.includes(0)) {
    throw new RangeError(`group must have at most ${GROUP_BYTES} bytes, none of them zero`);
  }
  return bytes;
}

export class Groups {
  readonly #members = new Map<string, Set<Pipe>>();
  readonly #joined = new Map<Pipe, Set<string>>();
  /** Those that get the messages of every group. */
  readonly #all = new Set<Pipe>();
  readonly #fanOut: FanOut;
  readonly #overflow: Overflow;

  /** @param owner the socket, for the total that its pipes hold */
  constructor(owner: Pick<PipeOwner, "unsent">, overflow: Overflow) {
    this.#fanOut = new FanOut(owner.unsent, overflow);
    this.#overflow = overflow;
  }

  /** False if the peer is in too many groups, or the name is too long. */
  join(pipe: Pipe, group: Buffer): boolean {
    const name = group.toString("latin1");
    let joined = this.#joined.get(pipe);
    if (joined === undefined) {
      joined = new Set();
      this.#joined.set(pipe, joined);
    }
    if (joined.size >= MAX_GROUPS || group.length > GROUP_BYTES) return false;
    joined.add(name);
    const members = this.#members.get(name);
    if (members === undefined) this.#members.set(name, new Set([pipe]));
    else members.add(pipe);
    return true;
  }

  leave(pipe: Pipe, group: Buffer): void {
    const name = group.toString("latin1");
    if (this.#joined.get(pipe)?.delete(name)) this.#drop(pipe, name);
  }

  /** From now on it gets the messages of every group. */
  joinAll(pipe: Pipe): void {
    this.#all.add(pipe);
  }

  /** Whether anybody gets the messages of every group. */
  get someWantAll(): boolean {
    return this.#all.size > 0;
  }

  /** The peer has left: remove it from all its groups. */
  clear(pipe: Pipe): void {
    this.#all.delete(pipe);
    const joined = this.#joined.get(pipe);
    this.#joined.delete(pipe);
    if (joined !== undefined) for (const name of joined) this.#drop(pipe, name);
  }

  #drop(pipe: Pipe, name: string): void {
    const members = this.#members.get(name);
    members?.delete(pipe);
    if (members?.size === 0) this.#members.delete(name);
  }

  /**
   * Send [group, body] to each member. `onFull` decides what happens to the copy for a full member; false if sends wait for
   * it (N12).
   */
  send(message: OutMessage): boolean {
    const [group] = message as Uint8Array[];
    const name = Buffer.from(group.buffer as ArrayBuffer, group.byteOffset, group.length).toString("latin1");
    const members = [...(this.#members.get(name) ?? []), ...this.#all];
    if (members.length === 0) return true;
    const sent = this.#fanOut.send(message, members);
    this.#overflow.settle();
    return sent;
  }
}
