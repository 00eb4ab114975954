/**
 * Sockets with a security, and a raw peer that is a CURVE client: greeting and handshake by zwire's own sans-I/O room
 * (which has vectors of its own), MESSAGEs by hand.
 */

import { coreOf } from "../../src/api/socket.js";
import type { Socket } from "../../src/index.js";
import type { AuthenticationRequest, Authenticator } from "../../src/security/authenticator.js";
import { newCrypto } from "../../src/security/crypto/crypto.js";
import type { MessageOpener } from "../../src/security/crypto/message-opener.js";
import type { MessageSealer } from "../../src/security/crypto/message-sealer.js";
import { Handshake } from "../../src/wire/zmtp/handshake.js";
import type { Verdict } from "../../src/wire/zmtp/mechanisms/authentication.js";
import type { Security } from "../../src/wire/zmtp/mechanisms/security.js";
import { keyPair } from "../vectors/curve.js";
import { rawDial } from "./helpers.js";
import type { RawPeer } from "./raw-peer.js";

export const CLIENT = keyPair(0x41);
export const SERVER = keyPair(0x42);

export const CURVE_SERVER: Security = { mechanism: "CURVE", server: true, ask: false, ...SERVER };
export const CURVE_CLIENT: Security = {
  mechanism: "CURVE",
  server: false,
  ...CLIENT,
  serverKey: SERVER.publicKey,
};
export const PLAIN_SERVER: Security = { mechanism: "PLAIN", server: true };
export const plainClient = (username: string, password: string): Security => ({
  mechanism: "PLAIN",
  server: false,
  username,
  password,
});

/**
 * Gives a socket the security of its connections, and who decides about their peers, past the options that an application
 * has: those can neither say everything nor leave the authenticator out.
 */
export function secure<T extends Socket>(
  socket: T,
  security: Security,
  authenticator: Authenticator | null = null,
): T {
  for (const [name, value] of Object.entries({ security, authenticator })) {
    // bind and connect work out their own, which is not kept.
    Object.defineProperty(coreOf(socket).options, name, {
      get: () => value,
      set: () => {},
      enumerable: true,
    });
  }
  return socket;
}

/** A decision. */
export function verdict(status: Verdict["status"], more: Partial<Verdict> = {}): Verdict {
  return { status, text: "because", userId: "", metadata: new Map(), ...more };
}

/** An authenticator that remembers what it was asked. */
export class Judge implements Authenticator {
  readonly requests: AuthenticationRequest[] = [];
  readonly signals: AbortSignal[] = [];
  readonly #decide: (request: AuthenticationRequest) => Verdict | Promise<Verdict>;

  constructor(decide: (request: AuthenticationRequest) => Verdict | Promise<Verdict>) {
    this.#decide = decide;
  }

  async authenticate(request: AuthenticationRequest, signal: AbortSignal): Promise<Verdict> {
    this.requests.push(request);
    this.signals.push(signal);
    return this.#decide(request);
  }
}

const crypto = await newCrypto(false);
/** Bytes of an outer frame behind its header that are not the body inside. */
const OVERHEAD = 33;

/** A CURVE client on one raw connection. */
export class CurvePeer {
  readonly raw: RawPeer;
  readonly #sealer: MessageSealer;
  readonly #opener: MessageOpener;

  constructor(raw: RawPeer, handshake: Handshake) {
    this.raw = raw;
    const wide = { maxFrameBytes: 1e9, maxCommandBytes: 1e9, maxParts: 1e9, maxMessageBytes: 1e9 };
    this.#sealer = crypto.sealer(handshake.cipher!);
    this.#opener = crypto.opener(handshake.cipher!, wide);
  }

  static async dial(endpoint: string, socketType: string): Promise<CurvePeer> {
    const raw = await rawDial(endpoint);
    const handshake = new Handshake({ socketType, security: CURVE_CLIENT, crypto: crypto.curve });
    raw.write(handshake.start());
    while (handshake.state !== "done") {
      const { output } = handshake.receive(await raw.read(1));
      if (output !== undefined) raw.write(output);
    }
    return new CurvePeer(raw, handshake);
  }

  /** Plain frames in boxes, with the next nonces. */
  seal(...frames: Buffer[]): Buffer {
    const pieces: Buffer[] = [];
    this.#sealer.begin(frames);
    while (this.#sealer.remaining) pieces.push(this.#sealer.sealAlone());
    return Buffer.concat(pieces);
  }

  /** The next frame: the outer flags, the flags inside as a frame has them, the body. */
  async readFrame(): Promise<{ outer: number; flags: number; body: Buffer }> {
    const { flags: outer, body } = await this.raw.readFrame();
    const flags = this.#opener.openAlone(body);
    if (flags < 0) throw new Error(`a frame that does not open: fault ${this.#opener.fault}`);
    return { outer, flags, body: body.subarray(OVERHEAD) };
  }
}
