/**
 * PLAIN (RFC 24): the client sends HELLO with a user name and a password, the server's authenticator decides, and WELCOME,
 * INITIATE and READY follow. Nothing is encrypted.
 */
import { Buffer } from "../../../base/platform.js";
import { encodeCommand } from "../command.js";
import { encodeMetadata, type Metadata, parseMetadata } from "../metadata.js";
import { ProtocolError } from "../protocol-error.js";
import type { Question, Verdict } from "./authentication.js";
import type { Mechanism } from "./mechanism.js";
import { expectCommand, refusedByPeer, refusedByUs } from "./refusal.js";

/** Most bytes of a user name and of a password (O1). */
const CREDENTIAL_MAX = 255;
const EMPTY = Buffer.alloc(0);
/** Refuses bytes that are not UTF-8: with a replacement character, many passwords would become the same one. */
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The beginning of libzmq's ERROR: in "\x5ERROR" the hex escape takes the E as well, so that length and first letter are
 * one byte, 5E (O7).
 */
const MISSPELT_ERROR = Buffer.from("^RROR", "latin1");

/**
 * | state    | event                   | next     | sends    |
 * |----------|-------------------------|----------|----------|
 * | greeting | both greetings are in   | hello    | HELLO    |
 * | hello    | WELCOME                 | initiate | INITIATE |
 * | initiate | READY                   | done     |          |
 */
type ClientState = "greeting" | "hello" | "initiate" | "done";

/** The client: it says who it is. */
export class PlainClient implements Mechanism {
  readonly name = "PLAIN";
  readonly asServer = false;
  readonly question = null;
  readonly verdict = null;
  readonly cipher = null;
  peerMetadata: Metadata = new Map();
  readonly #hello: Buffer;
  readonly #initiate: Buffer;
  #state: ClientState = "greeting";

  /**
   * @param properties what our INITIATE says
   * @throws RangeError for a property that cannot be encoded, and credentials above 255 bytes
   */
  constructor(properties: Iterable<readonly [string, Uint8Array]>, username: string, password: string) {
    const pieces = [credential("username", username), credential("password", password)];
    this.#hello = encodeCommand("HELLO", Buffer.concat(pieces));
    this.#initiate = encodeCommand("INITIATE", encodeMetadata(properties));
  }

  get done(): boolean {
    return this.#state === "done";
  }

  start(): Buffer {
    this.#state = "hello";
    return this.#hello;
  }

  receive(body: Buffer): Buffer | undefined {
    if (body.subarray(0, MISSPELT_ERROR.length).equals(MISSPELT_ERROR)) {
      throw refusedByPeer(body.subarray(MISSPELT_ERROR.length));
    }
    if (this.#state === "hello") {
      const data = expectCommand(body, "WELCOME", "O2, O5");
      if (data.length > 0) throw malformed("malformed-welcome", "WELCOME has a body", "O2", data.length);
      this.#state = "initiate";
      return this.#initiate;
    }
    this.peerMetadata = parseMetadata(expectCommand(body, "READY", "O2, O5"));
    this.#state = "done";
    return undefined;
  }

  answer(): never {
    throw new Error("assertion: a PLAIN client has no question");
  }

  expire(): void {
    // There is nothing to forget: the password belongs to the socket's options.
  }

  destroy(): void {
    // There is nothing to wipe: the password belongs to the socket's options.
  }
}

/**
 * | state    | event                          | next     | sends                |
 * |----------|--------------------------------|----------|----------------------|
 * | hello    | HELLO                          | asking   |                      |
 * | asking   | the authenticator lets it in   | initiate | WELCOME              |
 * | asking   | the authenticator refuses it   |          | ERROR, or none (Q8)  |
 * | initiate | INITIATE                       | done     | READY                |
 */
type ServerState = "hello" | "asking" | "initiate" | "done";

/** The server: it lets clients in. It always asks an authenticator (O9). */
export class PlainServer implements Mechanism {
  readonly name = "PLAIN";
  readonly asServer = true;
  readonly cipher = null;
  peerMetadata: Metadata = new Map();
  question: Question | null = null;
  verdict: Verdict | null = null;
  readonly #ready: Buffer;
  #state: ServerState = "hello";

  /**
   * @param properties what our READY says
   * @throws RangeError for a property that cannot be encoded
   */
  constructor(properties: Iterable<readonly [string, Uint8Array]>) {
    this.#ready = encodeCommand("READY", encodeMetadata(properties));
  }

  get done(): boolean {
    return this.#state === "done";
  }

  start(): undefined {
    return undefined;
  }

  receive(body: Buffer): Buffer | undefined {
    if (this.#state === "hello") {
      const { username, password } = parseHello(expectCommand(body, "HELLO", "O5"));
      this.question = { mechanism: "PLAIN", username, password };
      this.#state = "asking";
      return undefined;
    }
    this.peerMetadata = parseMetadata(expectCommand(body, "INITIATE", "O5"));
    this.#state = "done";
    return this.#ready;
  }

  answer(verdict: Verdict): Buffer {
    this.question = null;
    if (verdict.status !== 200) throw refusedByUs(verdict); // O6
    this.verdict = verdict;
    this.#state = "initiate";
    return encodeCommand("WELCOME", EMPTY);
  }

  expire(): void {
    // There is nothing to forget: the credentials go with the question.
  }

  destroy(): void {
    this.question = null;
  }
}

function credential(name: string, value: string): Buffer {
  const bytes = Buffer.from(value);
  if (bytes.length > CREDENTIAL_MAX) throw new RangeError(`${name} has more than ${CREDENTIAL_MAX} bytes`);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

/** Each has its length in front, as in the grammar, and nothing follows (O1, O3, O4). */
function parseHello(data: Buffer): { username: string; password: string } {
  const passwordAt = 1 + (data[0] ?? 0);
  const end = passwordAt + 1 + (data[passwordAt] ?? 0);
  if (data.length !== end) {
    throw malformed(
      "malformed-hello",
      "HELLO does not contain exactly a name and a password",
      "O1, O4",
      data.length,
    );
  }
  try {
    return {
      username: UTF8.decode(data.subarray(1, passwordAt)),
      password: UTF8.decode(data.subarray(passwordAt + 1)),
    };
  } catch {
    throw malformed("malformed-hello", "the name or password in HELLO is not UTF-8", "O1", data.length);
  }
}

function malformed(
  code: "malformed-hello" | "malformed-welcome",
  text: string,
  rule: string,
  size: number,
): ProtocolError {
  return new ProtocolError(code, text, { rule, size });
}
