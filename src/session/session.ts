/**
 * One connection: joins the protocol (handshake, heartbeat, commands), a pipe and a stream, and owns their timers.
 * Knows nothing of routing, and not whether it was dialled or accepted.
 */

import type { Deadline } from "../base/deadline.js";
import { memoryGone } from "../base/errors.js";
import type { Peer } from "../base/events.js";
import type { Message } from "../base/message.js";
import type { Buffer } from "../base/platform.js";
import type { Runtime } from "../base/runtime.js";
import { Assembler, type AssemblerSink } from "../engine/incoming/assembler.js";
import type { FrameRun } from "../engine/incoming/frame-run.js";
import type { OpenMessage } from "../engine/incoming/open-message.js";
import type { Batch } from "../engine/outgoing/batch.js";
import type { PipeLink, StreamPipe } from "../engine/stream-pipe.js";
import type { OptionValues } from "../options/options.js";
import { type Crypto, loadCrypto, loadedCrypto } from "../security/crypto/crypto.js";
import {
  Inquiry,
  nobodyToAsk,
  type Protection,
  protectionOf,
  requestAbout,
} from "../security/stream/protection.js";
import { SealedStream } from "../security/stream/sealed-stream.js";
import { FrameFault, type Stream, type StreamHandler } from "../transport/contract/transport.js";
import { COMMAND, FRAME_ENTRY_SIZE } from "../wire/frame-format.js";
import {
  encodeCancel,
  encodeCancelMessage,
  encodeCommand,
  encodeSubscribe,
  encodeSubscribeMessage,
  parseCommand,
  parsePing,
} from "../wire/zmtp/command.js";
import { Handshake, type PeerDescription, type Progress } from "../wire/zmtp/handshake.js";
import type { Question, Verdict } from "../wire/zmtp/mechanisms/authentication.js";
import { ProtocolError } from "../wire/zmtp/protocol-error.js";
import { frameFault, frameLimits } from "./frame-limits.js";
import { type Idler, IdleWatch } from "./idle-watch.js";
import { MessageWatch, type Watched } from "./message-watch.js";
import type { Connection, SessionOwner } from "./owner.js";
import { PacedWriter, type Writing } from "./paced-writer.js";
import { heartbeatConfig, Pulse, type PulseOwner } from "./pulse.js";

/**
 * handshaking → ready → closed
 * handshaking → closed
 */
type State = "handshaking" | "ready" | "closed";

const HANDSHAKE_COMMAND_CEILING = 64 * 1024;
/** A low maxMessageSize must leave room for the commands of PLAIN and CURVE. */
const HANDSHAKE_COMMAND_FLOOR = 4096;
/** Milliseconds that a CURVE cookie lives at most (P4). */
const COOKIE_LIFE_MS = 60_000;
/** Subscriptions that may wait for a publisher that does not read, in number and in octets: as many as it may be told. */
const WAITING_SUBSCRIPTIONS = 1_000_000;
const WAITING_SUBSCRIPTION_BYTES = 256 * 1024 * 1024;
/** PONGs that may wait for a peer that sends PINGs and does not read. */
const WAITING_CONTROL_CEILING = 16;
/** For a peer that sends PINGs and gets none. */
const NO_PINGS = { intervalMs: 0, timeoutMs: -1, timeToLiveMs: 0, unproven: false };

/**
 * Types that send and receive as they like. The others send only, receive only, or take turns: their peers need not drop
 * what they answer.
 */
const TWO_WAY = new Set(["DEALER", "ROUTER", "PAIR", "CLIENT", "SERVER", "PEER", "CHANNEL"]);

export class Session
  implements StreamHandler, PipeLink, Connection, AssemblerSink, Writing, PulseOwner, Watched, Idler
{
  readonly stream: Stream;
  readonly #writer: PacedWriter | null;
  /** Messages that the running call of the stream has brought. */
  #arrived = 0;
  peer: Peer | undefined;
  #state: State = "handshaking";
  readonly #owner: SessionOwner;
  readonly #options: OptionValues;
  readonly #assembler: Assembler;
  readonly #protection: Protection;
  #handshake: Handshake | null = null;
  /** The handshake whose keys a cipher uses, to be wiped in the end. */
  #keys: Handshake | null = null;
  #inquiry: Inquiry | null = null;
  #cookieTimer: Deadline | undefined;
  #handshakeTimer: Deadline | undefined;
  /** Heartbeats: ours, or those that the peer asks for. */
  #pulse: Pulse | null = null;
  /** How long what has begun to arrive takes. */
  #watch: MessageWatch | null = null;
  #idle: IdleWatch | null = null;
  #pipe: StreamPipe | null = null;
  #commands = false;
  /** The peer speaks ZMTP 2.0, which has no commands (A20). */
  #legacy = false;
  /** Octets that go before the pipe's next batch: handshake, subscriptions, PING and PONG (F15). */
  #control: Uint8Array[] = [];
  #controlBytes = 0;
  #controlFlush = false;
  /** A PING has come with what is being handled. */
  #pinged = false;
  #writing = false;
  #inFlight: Batch | null = null;

  /** @param options the socket's options as they were at bind or connect */
  constructor(owner: SessionOwner, stream: Stream, options: OptionValues) {
    this.#owner = owner;
    this.#protection = protectionOf(options, owner.endpoint);
    this.stream = this.#mechanism === "CURVE" ? new SealedStream(stream, owner.runtime) : stream;
    // It cuts within frames, and a cipher seals whole ones.
    const paced = TWO_WAY.has(owner.socketType) && this.#mechanism !== "CURVE";
    this.#writer = paced ? new PacedWriter(this.stream, this) : null;
    this.#options = options;
    this.#assembler = new Assembler(this); // no closures: a connection that is idle costs what it holds
  }

  get #mechanism(): string {
    return this.#protection.security.mechanism;
  }

  get runtime(): Runtime {
    return this.#owner.runtime;
  }

  get ready(): boolean {
    return this.#state === "ready";
  }

  /** Begin the greeting at once (A1), and to read. */
  start(): void {
    const limit = this.#options.handshakeInterval;
    if (limit > 0) {
      this.#handshakeTimer = this.runtime.loop.deadline(limit, () => {
        const text = `no complete handshake within ${limit} ms`;
        this.#protocolFailure(
          new ProtocolError("handshake-timeout", text, { rule: "A25, S7", kind: "other" }),
        );
      });
      this.#handshakeTimer.unref();
    }
    this.runtime.loop.handshakeMoved();
    const crypto = loadedCrypto();
    if (this.#mechanism !== "CURVE" || crypto !== undefined) this.#begin(crypto);
    else {
      loadCrypto().then(
        (loaded) => this.#begin(loaded),
        (error: Error) => this.#end(error, 0),
      );
    }
  }

  #begin(crypto: Crypto | undefined): void {
    if (this.#closed) return; // while the crypto library was loading
    const { security } = this.#protection;
    const floor = security.mechanism === "NULL" ? 0 : HANDSHAKE_COMMAND_FLOOR;
    const ceiling = Math.max(floor, frameLimits(this.#options, false).maxFrameBytes);
    this.#handshake = new Handshake({
      socketType: this.#owner.socketType,
      routingId: this.#options.routingId ?? undefined,
      metadata: this.#options.metadata,
      maxHandshakeBytes: Math.min(ceiling, HANDSHAKE_COMMAND_CEILING),
      security,
      crypto: crypto?.curve,
    });
    if (security.mechanism === "CURVE" && security.server) {
      const expire = (): void => this.#handshake?.expire();
      this.#cookieTimer = this.runtime.loop.deadline(COOKIE_LIFE_MS, expire).unref();
    }
    this.stream.start(this);
    this.#sendControl(this.#handshake.start());
  }

  // Stream → session

  onBytes(chunk: Buffer): void {
    const handshake = this.#handshake;
    if (handshake === null) return;
    this.runtime.loop.handshakeMoved();
    this.#proceed(handshake, () => handshake.receive(chunk));
  }

  /** One step of the handshake, and what follows from it. */
  #proceed(handshake: Handshake, step: () => Progress): void {
    try {
      const { output, done, leftover } = guarded(step);
      if (output !== undefined) this.#sendControl(output);
      if (this.#state !== "handshaking") return;
      if (done) this.#becomeReady(handshake, leftover);
      else if (handshake.question !== null && this.#inquiry === null)
        this.#ask(handshake, handshake.question);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#protocolFailure(error);
    }
  }

  /** An authenticator decides; the peer waits, and the handshake's timer goes on (Q12). */
  #ask(handshake: Handshake, question: Question): void {
    const { authenticator } = this.#protection;
    if (authenticator === null) throw nobodyToAsk();
    const request = {
      ...requestAbout(question, this.stream, this.#owner.endpoint, this.#options),
      metadata: handshake.announced,
    };
    this.stream.pause();
    const answered = (verdict: Verdict): void => {
      this.#inquiry = null;
      this.stream.resume();
      this.#proceed(handshake, () => handshake.answer(verdict));
    };
    this.#inquiry = new Inquiry(authenticator, request, answered, (error) => this.#protocolFailure(error));
  }

  #becomeReady(handshake: Handshake, leftover: Uint8Array): void {
    const description: PeerDescription = handshake.peer;
    const peer: Peer = {
      id: this.#owner.nextPeerId(),
      address: this.stream.remoteAddress,
      endpoint: this.#owner.endpoint,
      socketType: description.socketType,
      routingId: description.routingId,
      metadata: description.metadata,
    };
    const refusal = this.#owner.refusalOf(peer);
    if (refusal !== null) {
      this.#end(refusal, 0);
      return;
    }
    this.#clearHandshakeTimers();
    this.#handshake = null;
    this.#state = "ready";
    this.#secure(handshake);
    this.#commands = description.commands;
    this.#legacy = description.legacy;
    this.peer = peer;
    const pipe = this.#owner.sessionReady(this, this.peer);
    this.#greet();
    this.#pipe = pipe;
    pipe.link(this);
    this.#owner.sessionLinked(pipe, this.peer);
    if (this.#closed) return; // an event listener closed the socket
    if (!this.#legacy) this.#startPulse();
    this.#startWatch();
    this.stream.startFrames(frameLimits(this.#options, this.#publishes), leftover);
  }

  /** Before anything else: what waits in the pipe goes when it is linked. */
  #greet(): void {
    const { greeting } = this.#owner;
    if (greeting === null) return;
    this.#control.push(...greeting);
    this.flush();
  }

  #clearHandshakeTimers(): void {
    this.#handshakeTimer?.cancel();
    this.#cookieTimer?.cancel();
    this.#handshakeTimer = undefined;
    this.#cookieTimer = undefined;
  }

  /** From now on frames go in boxes, where the mechanism has a cipher; what is left of the handshake does not. */
  #secure(handshake: Handshake): void {
    if (handshake.cipher === null || !(this.stream instanceof SealedStream)) return;
    this.#keys = handshake;
    this.stream.secure(loadedCrypto() as Crypto, handshake.cipher, this.#control);
    this.#control = [];
  }

  /** A getter, because the state changes behind calls that the compiler cannot see through. */
  get #closed(): boolean {
    return this.#state === "closed";
  }

  onFrames(chunk: Buffer, table: Uint32Array, count: number): void {
    this.#pulse?.received();
    const pipe = this.#pipe; // a message may end the session; those before it are to be read all the same (G4)
    this.#assembler.frames(chunk, table, count);
    // F12: a message behind a PING of the same chunk ends the wait for its TTL.
    if ((table[count * FRAME_ENTRY_SIZE - 1] & COMMAND) === 0) this.#pulse?.received();
    if (this.#pinged) this.#answerPings();
    this.#delivered(pipe);
  }

  onLargeFrame(body: Buffer, flags: number): void {
    this.#pulse?.received();
    const pipe = this.#pipe;
    this.#assembler.frame(body, flags);
    if (this.#pinged) this.#answerPings();
    this.#delivered(pipe);
  }

  /** All of a chunk is dealt with. */
  #delivered(pipe: StreamPipe | null): void {
    const openCost = this.#closed ? 0 : this.#assembler.openCost;
    // A frame within a message that goes on is no end of that; any other is.
    if (this.#watch !== null && (openCost === 0 || this.#arrived > 0)) this.#watch.anew = true;
    if (this.#idle !== null && this.#arrived > 0) this.#idle.used = true;
    this.#writer?.read(this.#arrived);
    this.#arrived = 0;
    pipe?.delivered(openCost);
  }

  onDrain(): void {
    if (this.#writer === null) this.written();
    else this.#writer.drained();
  }

  /** All of the last write is taken. */
  written(): void {
    this.#writing = false;
    if (this.#inFlight !== null) {
      this.#inFlight = null;
      this.#pipe?.taken();
    }
    this.flush();
  }

  onClose(
    error: NodeJS.ErrnoException | undefined,
    fault: FrameFault,
    pendingBytes: number,
    octets: number,
  ): void {
    if (this.#closed) return;
    const pending = pendingBytes + (this.#writer?.waiting ?? 0);
    if (fault === FrameFault.none) this.#end(error, pending, endedByPeer(error));
    else this.#end(frameFault(fault, octets), pending);
  }

  // Pipe → session

  flush(): void {
    // Until nothing is left or the kernel takes no more: behind a batch that is sent again waits the open one.
    while (!this.#writing && !this.#closed && this.#writeNext());
  }

  /** One gathered write; false when there was nothing to write. */
  #writeNext(): boolean {
    const pipe = this.#pipe;
    const batch = pipe === null ? null : pipe.takeBatch();
    let segments: Uint8Array[];
    if (this.#idle !== null && batch !== null) this.#idle.used = true;
    if (this.#control.length === 0) {
      if (batch === null) return false;
      segments = batch.seal();
    } else {
      segments = batch === null ? this.#control : this.#control.concat(batch.seal());
      this.#control = [];
      this.#controlBytes = 0;
    }
    if (!this.#write(segments, batch)) {
      this.#writing = true;
      this.#inFlight = batch;
    } else if (batch !== null) {
      (pipe as StreamPipe).taken();
    }
    return true;
  }

  /** True when all of it is taken; else `written` follows. */
  #write(segments: readonly Uint8Array[], batch: Batch | null): boolean {
    if (batch === null) return this.stream.write(segments) === 0;
    if (!batch.intact) {
      this.memoryGone(batch.bytes);
      return false;
    }
    if (this.#writer === null) return this.stream.write(segments) === 0;
    return this.#writer.write(segments, batch.bytes, batch.messages);
  }

  /** Peers tell us their topics. */
  get #publishes(): boolean {
    return this.#owner.socketType === "PUB" || this.#owner.socketType === "XPUB";
  }

  /** Whether what is being written may be written on. */
  get intact(): boolean {
    return this.#inFlight === null || this.#inFlight.intact;
  }

  /** A length has been announced whose octets are not there any more: nothing else may be sent in their place. */
  memoryGone(pendingBytes: number): void {
    // Not within the application's call of send().
    this.runtime.later(() => this.#end(memoryGone(), pendingBytes));
  }

  /** RADIO and DISH name their subscriptions differently (N8). */
  get #groups(): boolean {
    return this.#owner.socketType === "RADIO" || this.#owner.socketType === "DISH";
  }

  sendSubscription(topic: Buffer, subscribe: boolean): void {
    if (this.#groups) this.#queueControl(encodeCommand(subscribe ? "JOIN" : "LEAVE", topic));
    else if (this.#commands) this.#queueControl(subscribe ? encodeSubscribe(topic) : encodeCancel(topic));
    else this.#queueControl(subscribe ? encodeSubscribeMessage(topic) : encodeCancelMessage(topic)); // A7
  }

  pauseReading(): void {
    this.stream.pause();
  }

  resumeReading(): void {
    if (this.#closed) return;
    if (this.#watch !== null) this.#watch.anew = true;
    this.stream.resume();
  }

  fail(error: Error): void {
    if (error instanceof ProtocolError && error.reply !== undefined) this.#sendControl(error.reply);
    this.#giveUp(error);
  }

  // Commands and heartbeats

  /** From the assembler. */
  message(parts: Message): void {
    this.#arrived++;
    this.#pipe?.deliver(parts);
  }

  /** From the assembler. */
  run(run: FrameRun): void {
    this.#arrived += run.length;
    this.#pipe?.deliverRun(run);
  }

  /** From the assembler. */
  longMessage(message: OpenMessage): void {
    this.#arrived++;
    this.#pipe?.deliverLong(message);
  }

  /** From the assembler. */
  command(body: Buffer): void {
    const command = this.#legacy ? undefined : parseCommand(body);
    if (command === undefined) return; // E12: ignored after the handshake
    switch (command.name) {
      case "PING": {
        const ping = parsePing(command.data);
        if (ping === undefined) return; // F8
        this.#pulse ??= new Pulse(this, NO_PINGS);
        const pong = this.#pulse.answer(ping);
        // Written when all that came with it is handled: a system call for each would be most of the work of many.
        if (this.#control.length >= WAITING_CONTROL_CEILING) this.flush();
        if (this.#control.length < WAITING_CONTROL_CEILING) this.#control.push(pong);
        this.#pinged = true;
        break;
      }
      case "PONG":
        this.#pulse?.pongReceived();
        break;
      case "SUBSCRIBE":
      case "CANCEL":
        if (this.#idle !== null) this.#idle.used = true;
        if (!this.#groups) this.#pipe?.subscription(command.data, command.name === "SUBSCRIBE");
        break;
      case "JOIN":
      case "LEAVE":
        if (this.#idle !== null) this.#idle.used = true;
        if (this.#groups) this.#pipe?.subscription(command.data, command.name === "JOIN"); // N8
        break;
      default: // unknown names are ignored (F18)
    }
  }

  #answerPings(): void {
    this.#pinged = false;
    this.flush();
    this.#pulse?.due();
  }

  #startPulse(): void {
    const config = heartbeatConfig(
      this.#options,
      this.#commands,
      this.stream.remoteAddress.startsWith("tcp:"),
    );
    if (config.intervalMs === 0) return;
    this.#pulse = new Pulse(this, config);
    this.#pulse.due();
  }

  /** Threads of this process are no strangers, and may compute for long. */
  #startWatch(): void {
    const { messageTimeout, idleTimeout } = this.#options;
    if (this.stream.remoteAddress.startsWith("inproc:")) return;
    if (messageTimeout > 0) this.#watch = new MessageWatch(this, messageTimeout, this.runtime);
    if (idleTimeout > 0) this.#idle = new IdleWatch(this, idleTimeout, this.runtime.agenda);
  }

  /** From the watch over use. */
  get held(): boolean {
    return this.throttled || this.#writing || this.begun;
  }

  /** From the watch over use. */
  idled(): void {
    const text = `no message and no subscription within ${this.#options.idleTimeout} ms`;
    this.#protocolFailure(new ProtocolError("idle-timeout", text, { rule: "G9", kind: "other" }));
  }

  /** From the watch. */
  get received(): number {
    return this.stream.received;
  }

  /** From the watch. */
  get begun(): boolean {
    return this.#assembler.openCost > 0 || this.stream.partial;
  }

  /** From the watch. */
  overdue(): void {
    const text = `no end of a message, nor progress, within ${this.#options.messageTimeout} ms`;
    this.#protocolFailure(new ProtocolError("message-timeout", text, { rule: "G9", kind: "other" }));
  }

  /** From the pulse and the watch. */
  get throttled(): boolean {
    return this.#pipe?.throttled === true;
  }

  /** From the pulse. */
  sendHeartbeat(octets: Uint8Array): void {
    if (this.#control.length < WAITING_CONTROL_CEILING) this.#sendControl(octets);
  }

  /** From the pulse. */
  silent(error: ProtocolError): void {
    this.#protocolFailure(error);
  }

  #sendControl(octets: Uint8Array): void {
    this.#control.push(octets);
    this.flush();
  }

  /** As #sendControl, gathering what is sent in the same turn: a program may subscribe to thousands of topics. */
  #queueControl(octets: Uint8Array): void {
    this.#control.push(octets);
    this.#controlBytes += octets.length;
    if (this.#control.length > WAITING_SUBSCRIPTIONS || this.#controlBytes > WAITING_SUBSCRIPTION_BYTES) {
      // A new connection begins with the topics that count then; what waits here may be no more than their history.
      const text = "the publisher does not read our subscriptions";
      this.#giveUp(new ProtocolError("subscriptions-unread", text, { rule: "G9", kind: "other" }));
      return;
    }
    if (this.#controlFlush) return;
    this.#controlFlush = true;
    this.runtime.nextTick(() => {
      this.#controlFlush = false;
      this.flush();
    });
  }

  // Ends

  #protocolFailure(error: ProtocolError): void {
    if (error.reply !== undefined) this.#sendControl(error.reply);
    this.#giveUp(error);
  }

  /** We end the connection. What the kernel has not taken of the write under way is for the next one. */
  #giveUp(error: Error): void {
    if (!this.#closed) this.#end(error, this.stream.untaken + (this.#writer?.waiting ?? 0));
  }

  #end(error: Error | undefined, pendingBytes: number, byPeer = false): void {
    if (this.#closed) return;
    const wasReady = this.#state === "ready";
    this.#release(pendingBytes, byPeer);
    this.#owner.sessionEnded(this, { wasReady, error });
  }

  #release(pendingBytes: number, byPeer: boolean): void {
    this.#state = "closed";
    this.#clearHandshakeTimers();
    this.#pulse?.stop();
    this.#watch?.stop();
    this.#idle?.stop();
    this.#inquiry?.abort();
    this.#writer?.stop();
    this.stream.close();
    this.#handshake?.destroy();
    this.#handshake = null;
    this.#keys?.destroy();
    this.#keys = null;
    const pipe = this.#pipe;
    this.#pipe = null;
    pipe?.unlink(pendingBytes, byPeer);
  }

  /** Close from our side, dropping what is not yet written; the owner is not called. */
  close(): void {
    if (!this.#closed) this.#release(0, false);
  }
}

/** Whether the peer has closed the connection, in order or by a reset. A line that is cut says nothing about the peer. */
function endedByPeer(error: NodeJS.ErrnoException | undefined): boolean {
  return error === undefined || error.code === "ECONNRESET" || error.code === "EPIPE";
}

/**
 * A peer's octets may end its own connection, and nothing else: what their decoding throws, other than what it means to,
 * is a fault of ours that one peer has found. Around no listener of the program.
 */
function guarded(step: () => Progress): Progress {
  try {
    return step();
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    const text = "what the peer sent could not be decoded";
    throw new ProtocolError("undecodable", text, { rule: "E4", cause: error });
  }
}
