/**
 * One connection: joins a pipe and a stream, and steps through the phases of the protocol. HandshakePhase handles what
 * comes before the first message, Outlet writes, and Vitals checks that the peer is alive. A session knows nothing of
 * routing, nor whether it was dialled or accepted. Hot path for incoming messages.
 */

import { AssertionError, assert } from "../base/assert.js";
import { memoryGone } from "../base/errors.js";
import type { Peer } from "../base/events.js";
import { rowOf, type Table } from "../base/machine.js";
import type { Buffer } from "../base/platform.js";
import type { Runtime } from "../base/runtime.js";
import { Assembler, type CommandSink } from "../engine/incoming/assembler.js";
import type { PipeLink } from "../engine/linked-pipe.js";
import type { Lending } from "../engine/pipe.js";
import type { StreamPipe } from "../engine/stream-pipe.js";
import type { OptionValues } from "../options/options.js";
import { type Crypto, loadedCrypto } from "../security/crypto/crypto.js";
import { protectionOf } from "../security/stream/protection.js";
import { SealedStream } from "../security/stream/sealed-stream.js";
import type { PeerPool, Stream, StreamHandler } from "../transport/contract/transport.js";
import { COMMAND, EMPTY_FRONT, FRAME_ENTRY_SIZE } from "../wire/frame-format.js";
import { FrameFault } from "../wire/frame-limits.js";
import { parseCommand } from "../wire/zmtp/command.js";
import type { Handshake } from "../wire/zmtp/handshake.js";
import { ProtocolError } from "../wire/zmtp/protocol-error.js";
import { CarriedSink } from "./carried-sink.js";
import { frameFault, frameLimits } from "./frame-limits.js";
import { HandshakePhase, type Shaking } from "./handshake-phase.js";
import { Loans } from "./loans.js";
import { Outlet, type OutletOwner } from "./outlet.js";
import type { Connection, SessionOwner } from "./owner.js";
import { agree, agreedToCarry, mayPassLoans, withoutAnnouncement } from "./sharing.js";
import { Arrivals } from "./tally.js";
import { type Living, Vitals } from "./vitals.js";

type State = "handshaking" | "ready" | "closed";

/** Why a session ends, and what its pipe is told. */
interface Ending {
  readonly error: Error | undefined;
  /** Bytes at the end of the last write that the kernel has certainly not taken. */
  readonly pendingBytes: number;
  readonly byPeer: boolean;
}

interface Joining {
  readonly handshake: Handshake;
  readonly peer: Peer;
  readonly leftover: Uint8Array;
}

interface Events {
  joined: Joining;
  /** The connection is over, and its owner does not know yet. */
  ended: Ending;
  /** The owner closes it. */
  dropped: undefined;
}

/**
 * Types that send and receive at any time: their writes are paced, so that a peer need not drop its answers. The others
 * only send, only receive, or take turns.
 */
const TWO_WAY = new Set(["DEALER", "ROUTER", "PAIR", "CLIENT", "SERVER", "PEER", "CHANNEL"]);

export class Session
  implements StreamHandler, PipeLink, Connection, CommandSink, OutletOwner, Living, Shaking
{
  /** Not consulted for each message, which would cost too much: the hot path checks `#closed` and the fields it needs. */
  static readonly #table: Table<State, Session, Events> = {
    handshaking: {
      joined: ["ready", (session, joining) => session.#join(joining)],
      ended: ["closed", (session, ending) => session.#end(ending, false)],
      dropped: ["closed", (session) => session.#release(0, false)],
    },
    ready: {
      ended: ["closed", (session, ending) => session.#end(ending, true)],
      dropped: ["closed", (session) => session.#release(0, false)],
    },
    closed: { ended: ["closed"], dropped: ["closed"] },
  };

  readonly stream: Stream;
  peer: Peer | undefined;
  readonly tally: Arrivals;
  #state: State = "handshaking";
  readonly #owner: SessionOwner;
  readonly #options: OptionValues;
  readonly #assembler: Assembler;
  readonly #outlet: Outlet;
  readonly #vitals: Vitals;
  /** null once the handshake is complete. */
  #phase: HandshakePhase | null;
  /** The handshake whose keys the cipher uses. They are wiped when the session ends. */
  #keys: Handshake | null = null;
  #pipe: StreamPipe | null = null;
  /** If both sides can pass parts of messages by reference. */
  #loans: Loans | null = null;
  /** The peer knows commands for subscriptions and PING. */
  #commands = false;
  /** Contexts of traces go with messages, both ways. */
  carries = false;
  /** The peer speaks ZMTP 2.0, which has no commands (A20). */
  #legacy = false;

  /** @param options the socket's options as they were at bind or connect */
  constructor(owner: SessionOwner, stream: Stream, options: OptionValues) {
    this.#owner = owner;
    this.#options = options;
    const protection = protectionOf(options, owner.endpoint);
    const sealed = protection.security.mechanism === "CURVE";
    this.stream = sealed ? new SealedStream(stream, owner.runtime) : stream;
    this.#outlet = new Outlet(this, this.stream, TWO_WAY.has(owner.socketType) && !sealed);
    this.#vitals = new Vitals(this, this.#outlet, options);
    this.#assembler = new Assembler(this); // an interface and no closures, to save memory on idle connections
    this.tally = new Arrivals(owner.runtime.now(), protection.security.mechanism);
    this.#phase = new HandshakePhase(this, owner, options, protection);
  }

  #on<E extends keyof Events>(event: E, argument: Events[E]): void {
    try {
      const [next, act] = rowOf(Session.#table, this.#state, event);
      this.#state = next;
      act?.(this, argument);
    } catch (error) {
      this.#caught(error);
    }
  }

  /** A failed assertion ends this connection and is reported as a bug. Other exceptions come from the program: rethrow. */
  #caught(error: unknown): void {
    if (!(error instanceof AssertionError)) throw error;
    this.faulty(error);
  }

  faulty(error: AssertionError): void {
    this.runtime.bug(error);
    this.#on("ended", { error, pendingBytes: 0, byPeer: false });
  }

  get runtime(): Runtime {
    return this.#owner.runtime;
  }

  get ready(): boolean {
    return this.#state === "ready";
  }

  start(): void {
    this.#phase?.start();
  }

  // From the handshake

  read(): void {
    this.stream.start(this);
  }

  shaken(handshake: Handshake, leftover: Uint8Array, publicKey: Buffer | undefined): void {
    const { socketType, routingId } = handshake.peer;
    const metadata = withoutAnnouncement(handshake.peer.metadata);
    const id = this.#owner.nextPeerId();
    const { remoteAddress: address, tls } = this.stream;
    const { endpoint } = this.#owner;
    const known = { id, address, endpoint, socketType, routingId, metadata };
    const peer: Peer = { ...known, ...(publicKey && { publicKey }), ...(tls && { tls }) };
    const refusal = this.#owner.refusalOf(peer);
    if (refusal === null) this.#on("joined", { handshake, peer, leftover });
    else {
      handshake.destroy();
      this.#on("ended", { error: refusal, pendingBytes: 0, byPeer: false });
    }
  }

  #join({ handshake, peer, leftover }: Joining): void {
    this.#phase?.stop();
    this.#phase = null;
    this.#secure(handshake);
    this.#commands = handshake.peer.commands;
    this.#legacy = handshake.peer.legacy;
    this.peer = peer;
    const pipe = this.#owner.sessionReady(this, peer);
    this.carries = agreedToCarry(this.#owner.carries, this.#options, handshake.peer);
    const limits = frameLimits(this.#options, this.#publishes, this.carries);
    this.#pipe = pipe;
    if (mayPassLoans(this.stream, this.#options, handshake.peer.metadata)) {
      this.#loans = new Loans(this, this.#assembler, this.#options, limits);
      this.#outlet.redirect(this.#loans.lender);
    }
    agree(this.stream, this.#options, handshake.peer.metadata);
    // The greeting must come first, and linking the pipe sends what waits in it.
    for (const bytes of this.#owner.greeting ?? []) {
      if (this.carries) this.#outlet.sendControl(EMPTY_FRONT);
      this.#outlet.sendControl(bytes);
    }
    assert(!pipe.linked, "a pipe was given to a second connection");
    this.#outlet.join(pipe);
    this.#assembler.sink = this.carries ? new CarriedSink(pipe, (error) => this.fail(error)) : pipe;
    pipe.link(this, this.#outlet);
    this.#owner.sessionLinked(pipe, peer);
    if (this.#closed) return; // an event listener closed the socket
    this.#vitals.start(this.#commands, this.#legacy);
    this.stream.startFrames(limits, leftover);
  }

  /** Encrypts all frames from now on, if the mechanism has a cipher. Handshake commands that still wait go unencrypted. */
  #secure(handshake: Handshake): void {
    if (handshake.cipher === null || !(this.stream instanceof SealedStream)) return;
    this.#keys = handshake;
    this.stream.secure(loadedCrypto() as Crypto, handshake.cipher, this.#outlet.takeControl());
  }

  /** A getter, because calls change the state and the compiler does not see it. */
  get #closed(): boolean {
    return this.#state === "closed";
  }

  // Stream → session

  onBytes(chunk: Buffer): void {
    this.#phase?.receive(chunk);
  }

  onFrames(chunk: Buffer, table: Uint32Array, count: number): void {
    this.#vitals.heard();
    const pipe = this.#pipe; // delivery may close the session; still wake its reader (G4)
    this.tally.frames(table, count, this.runtime.now());
    try {
      this.#assembler.frames(chunk, table, count);
      // F12: a message that follows a PING in the same chunk ends the wait for the PING's TTL.
      if ((table[count * FRAME_ENTRY_SIZE - 1] & COMMAND) === 0) this.#vitals.heard();
      const openCost = this.#accounted();
      pipe?.delivered(openCost);
    } catch (error) {
      this.#caught(error);
    }
  }

  onLargeFrame(body: Buffer, flags: number): void {
    this.#vitals.heard();
    const pipe = this.#pipe;
    if (pipe?.borrows) this.stream.recycle?.();
    this.tally.frame(body.length, this.runtime.now());
    try {
      this.#assembler.frame(body, flags);
      const openCost = this.#accounted();
      pipe?.delivered(openCost);
    } catch (error) {
      this.#caught(error);
    }
  }

  /** A whole chunk has been handled. @returns what an incomplete message counts against a mark */
  #accounted(): number {
    this.#vitals.answer();
    const openCost = this.#closed ? 0 : this.#assembler.openCost;
    const { arrived } = this.#assembler;
    this.#assembler.arrived = 0;
    this.tally.messages += arrived;
    // Progress means that a message ended, or that none is incomplete; a frame inside a message does not count.
    if (openCost === 0 || arrived > 0) this.#vitals.progress();
    if (arrived > 0) this.#vitals.used();
    this.#outlet.read(arrived);
    return openCost;
  }

  onDrain(): void {
    try {
      this.#outlet.drained();
    } catch (error) {
      this.#caught(error);
    }
  }

  onMemory(): void {
    const { memory } = this.stream;
    assert(memory != null, "a stream told of memory that it does not have");
    const loans = this.#loans;
    this.#pipe?.throughMemory(loans === null ? memory : loans.lender.through(memory));
  }

  onPool(memory: PeerPool | undefined): void {
    if (this.#loans === null) memory?.close();
    else this.#loans.offered(memory);
  }

  onClose(
    error: NodeJS.ErrnoException | undefined,
    fault: FrameFault,
    pendingBytes: number,
    size: number,
  ): void {
    if (this.#closed) return;
    const plain = this.#loans === null ? pendingBytes : this.#loans.lender.pending(pendingBytes);
    const pending = plain + this.#outlet.waiting;
    const byPeer = fault === FrameFault.none && endedByPeer(error);
    const told = fault === FrameFault.none ? error : frameFault(fault, size);
    this.#on("ended", { error: told, pendingBytes: pending, byPeer });
  }

  // Pipe → session

  progressed(): void {
    this.#pipe?.progressed();
  }

  get lent(): Iterable<Lending> {
    return this.#loans?.lender.lent ?? [];
  }

  get borrowed(): Iterable<Lending> {
    return this.#loans?.borrowed ?? [];
  }

  /** Peers send their subscriptions to this socket. */
  get #publishes(): boolean {
    return this.#owner.socketType === "PUB" || this.#owner.socketType === "XPUB";
  }

  /** Called by the outlet. */
  spoiled(pendingBytes: number): void {
    this.#on("ended", { error: memoryGone(), pendingBytes, byPeer: false });
  }

  /** RADIO and DISH name their subscriptions differently (N8). */
  get #groups(): boolean {
    return this.#owner.socketType === "RADIO" || this.#owner.socketType === "DISH";
  }

  sendSubscription(topic: Buffer, subscribe: boolean): void {
    const style = this.#groups ? "group" : this.#commands ? "command" : "message";
    if (this.#outlet.sendSubscription(style, topic, subscribe)) return;
    // Drop the connection: a new one begins with the current topics, while this queue may hold only outdated changes.
    const text = "the publisher does not read our subscriptions";
    this.fail(new ProtocolError("subscriptions-unread", text, { rule: "G9", kind: "other" }));
  }

  pauseReading(): void {
    this.stream.pause();
  }

  resumeReading(): void {
    if (this.#closed) return;
    this.#vitals.progress();
    this.stream.resume();
  }

  /** Ends the connection. The pipe sends the messages that the kernel has not taken on the next connection. */
  fail(error: Error): void {
    if (error instanceof ProtocolError && error.reply !== undefined) this.sendControl(error.reply);
    if (this.#closed) return;
    this.#on("ended", { error, pendingBytes: this.#outlet.untaken, byPeer: false });
  }

  // From the assembler

  command(body: Buffer): void {
    const command = this.#legacy ? undefined : parseCommand(body);
    if (command === undefined) return; // E12: ignored after the handshake
    switch (command.name) {
      case "PING":
        this.#vitals.ping(command.data);
        break;
      case "PONG":
        this.#vitals.pong();
        break;
      case "SUBSCRIBE":
      case "CANCEL":
        this.#vitals.used();
        if (!this.#groups) this.#pipe?.subscription(command.data, command.name === "SUBSCRIBE");
        break;
      case "JOIN":
      case "LEAVE":
        this.#vitals.used();
        if (this.#groups) this.#pipe?.subscription(command.data, command.name === "JOIN"); // N8
        break;
      default:
        this.#loans?.command(command); // unknown names are ignored (F18)
    }
  }

  // For the outlet and the vitals

  get begun(): boolean {
    return this.#assembler.openCost > 0 || this.stream.partial;
  }

  get throttled(): boolean {
    return this.#pipe?.throttled === true;
  }

  sendControl(bytes: Uint8Array): void {
    this.#outlet.sendControl(bytes);
  }

  // Ends

  endWriting(peerKeeps: boolean): boolean {
    if (this.#state !== "ready") return true;
    const ended = this.stream.endWriting?.(peerKeeps) ?? "impossible";
    if (ended === "busy") return false;
    this.#vitals.stop();
    this.#outlet.stop();
    if (ended === "impossible") this.#on("ended", { error: undefined, pendingBytes: 0, byPeer: false });
    return true;
  }

  #end({ error, pendingBytes, byPeer }: Ending, wasReady: boolean): void {
    this.#release(pendingBytes, byPeer);
    this.#owner.sessionEnded(this, { wasReady, error });
  }

  #release(pendingBytes: number, byPeer: boolean): void {
    this.#phase?.stop();
    this.#phase = null;
    this.#vitals.stop();
    this.#outlet.stop();
    this.stream.close();
    this.#keys?.destroy();
    this.#keys = null;
    const pipe = this.#pipe;
    this.#pipe = null;
    this.#assembler.sink = null;
    pipe?.unlink(pendingBytes, byPeer);
    this.#loans?.close(byPeer);
  }

  /** Closes the connection and drops what is not yet written. Does not call the owner. */
  close(): void {
    this.#on("dropped", undefined);
  }
}

/** Whether the peer closed the connection, orderly or by a reset. Other errors come from the network. */
function endedByPeer(error: NodeJS.ErrnoException | undefined): boolean {
  return error === undefined || error.code === "ECONNRESET" || error.code === "EPIPE";
}
