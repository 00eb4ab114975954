/**
 * The handshakes of PLAIN and CURVE against changes of every byte, every length and every order, in both roles, sans
 * I/O. The scripted peers of support/scripted are the other side. A handshake that is changed fails or waits; it is
 * never done.
 */
import sodium from "sodium-native";
import { describe, expect, it } from "vitest";
import { Handshake } from "../../../src/wire/zmtp/handshake.js";
import type { CurveCrypto } from "../../../src/wire/zmtp/mechanisms/mechanism.js";
import type { Security } from "../../../src/wire/zmtp/mechanisms/security.js";
import { ProtocolError } from "../../../src/wire/zmtp/protocol-error.js";
import { frame, greeting } from "../../support/raw-peer.js";
import {
  CurveClient,
  CurveServer,
  keyPair,
  nonce,
  random,
  shortNonce,
} from "../../support/scripted/curve.js";
import { PlainClient, PlainServer } from "../../support/scripted/plain.js";
import { flip, type Script, type ScriptOptions, type Tamper } from "../../support/scripted/script.js";
import { curveCrypto } from "./curve-crypto.js";

const server = keyPair();
const client = keyPair();
const crypto = await curveCrypto();

/** One of ours against a script. */
interface Side {
  readonly name: string;
  readonly security: Security;
  readonly ours: string;
  script(options: ScriptOptions): Script;
  /** What the script says, step by step. */
  readonly steps: readonly string[];
}

const SIDES: readonly Side[] = [
  {
    name: "a CURVE server",
    security: { mechanism: "CURVE", server: true, ask: false, ...server },
    ours: "PULL",
    script: (options) => new CurveClient(server.publicKey, options, client),
    steps: ["HELLO", "INITIATE"],
  },
  {
    name: "a CURVE client",
    security: { mechanism: "CURVE", server: false, serverKey: server.publicKey, ...client },
    ours: "PULL",
    script: (options) => new CurveServer(server, options),
    steps: ["WELCOME", "READY"],
  },
  {
    name: "a PLAIN server",
    security: { mechanism: "PLAIN", server: true },
    ours: "PULL",
    script: (options) => new PlainClient({ username: "user", password: "secret", ...options }),
    steps: ["HELLO", "INITIATE"],
  },
  {
    name: "a PLAIN client",
    security: { mechanism: "PLAIN", server: false, username: "user", password: "secret" },
    ours: "PULL",
    script: (options) => new PlainServer(options),
    steps: ["WELCOME", "READY"],
  },
];

interface Outcome {
  readonly state: string;
  readonly error: ProtocolError | undefined;
  /** What the authenticator was asked, if it was. */
  readonly asked: string | undefined;
  readonly said: string;
}

/** Plays a handshake to its end, or to where it sticks. Anything but a ProtocolError fails the test. */
function play(side: Side, script: Script, library = crypto): Outcome {
  const handshake = new Handshake({ socketType: side.ours, security: side.security, crypto: library });
  handshake.start();
  let asked: string | undefined;
  let error: ProtocolError | undefined;
  const opening = greeting(script.greeting);
  let inbox = Buffer.concat([opening.subarray(11), script.begin()]);
  try {
    handshake.receive(opening.subarray(0, 11)); // what follows from it is the rest of our greeting
    while (inbox.length > 0 && handshake.state !== "done") {
      let progress = handshake.receive(inbox);
      inbox = Buffer.alloc(0);
      const output = [progress.output];
      const { question } = handshake;
      if (question !== null) {
        asked = question.mechanism === "PLAIN" ? `${question.username}/${question.password}` : "";
        const status = asked === "user/secret" ? 200 : 400;
        progress = handshake.answer({ status, text: "", userId: "", metadata: new Map() });
        output.push(progress.output);
      }
      for (const body of bodies(Buffer.concat(output.filter((octets) => octets !== undefined)))) {
        inbox = Buffer.concat([inbox, answerOf(script, body)]);
      }
    }
  } catch (thrown) {
    if (!(thrown instanceof ProtocolError)) throw thrown;
    error = thrown;
  }
  const said = handshake.state === "done" ? describePeer(handshake) : "";
  handshake.destroy();
  return { state: handshake.state, error, asked, said };
}

/** A script that does not understand us says nothing more. */
function answerOf(script: Script, body: Buffer): Buffer {
  try {
    return script.next(body);
  } catch {
    return Buffer.alloc(0);
  }
}

function describePeer({ peer }: Handshake): string {
  return `${peer.socketType} ${[...peer.metadata].map(([name, value]) => `${name}=${value}`).join(" ")}`;
}

function* bodies(octets: Buffer): Generator<Buffer> {
  for (let at = 0; at < octets.length; ) {
    const long = (octets[at] & 2) !== 0;
    const size = long ? Number(octets.readBigUInt64BE(at + 1)) : octets[at + 1];
    at += long ? 9 : 2;
    yield octets.subarray(at, at + size);
    at += size;
  }
}

/** Bytes of one step's frame, as it is when nothing is changed. */
function frameOf(side: Side, step: string): Buffer {
  let found: Buffer = Buffer.alloc(0);
  const tamper: Tamper = (name, octets) => {
    if (name === step) found = octets;
    return octets;
  };
  play(side, side.script({ type: "PUSH", tamper }));
  return found;
}

function changed(side: Side, step: string, change: (octets: Buffer, body: Buffer) => Buffer): Outcome {
  const tamper: Tamper = (name, octets, body) => (name === step ? change(octets, body) : octets);
  return play(side, side.script({ type: "PUSH", tamper }));
}

/** Bytes that mean nothing, and are not looked at: flags but LONG (C23, E5, E6), and the padding of HELLO (P1). */
function ignored(side: Side, step: string, at: number, mask: number): boolean {
  if (at === 0) return (mask & 2) === 0;
  return side.security.mechanism === "CURVE" && step === "HELLO" && at >= 10 && at < 82;
}

describe.each(SIDES)("$name", (side) => {
  const good = play(side, side.script({ type: "PUSH" }));

  it("completes when nothing is changed", () => {
    expect(good.error).toBeUndefined();
    expect(good.state).toBe("done");
    expect(good.said).toMatch(/^PUSH /);
  });

  it.each(side.steps)("is never done when an octet of %s is flipped (P19)", (step) => {
    const length = frameOf(side, step).length;
    for (let at = 0; at < length; at++) {
      for (const mask of [0x01, 0x02, 0x80, 0xff]) {
        const what = `octet ${at} of ${step} ^ ${mask}`;
        const outcome = changed(side, step, (octets) => flip(octets, at, mask));
        if (ignored(side, step, at, mask)) {
          expect(outcome, what).toEqual(good);
        } else if (side.security.mechanism === "CURVE") {
          expect(outcome.state, what).not.toBe("done");
        } else if (outcome.state === "done") {
          // PLAIN protects nothing: what a changed READY or INITIATE says is believed, if it says it in order.
          expect(["INITIATE", "READY"], what).toContain(step);
          expect(outcome.said, what).not.toBe(good.said);
        }
        if (outcome.state === "failed") expect(outcome.error, what).toBeInstanceOf(ProtocolError);
      }
    }
  });

  it.each(side.steps)("is never done when %s is cut short, at any length (P2, P14)", (step) => {
    const whole = frameOf(side, step);
    const headers = whole.length > 257 ? 9 : 2;
    for (let length = 0; length < whole.length - headers; length++) {
      const what = `${step} of ${length} octets`;
      const outcome = changed(side, step, (_, body) => frame(body.subarray(0, length), { command: true }));
      // Without metadata a peer has not said its type (C6), which is no fault.
      const bare = side.security.mechanism === "PLAIN" && length === step.length + 1;
      if (bare && step !== "HELLO") expect(outcome.state, what).toBe("done");
      else expect(outcome.error, what).toBeInstanceOf(ProtocolError);
    }
  });

  it.each(side.steps)("is never done when %s is longer (P2, O4)", (step) => {
    for (const more of [1, 2, 16, 32, 255, 256, 10_000, 65_000, 70_000]) {
      const outcome = changed(side, step, (_, body) =>
        frame(Buffer.concat([body, Buffer.alloc(more)]), { command: true }),
      );
      expect(outcome.error, `${step} and ${more} octets`).toBeInstanceOf(ProtocolError);
    }
  });

  it.each(side.steps)("is never done without %s, or with another command in its place (O5)", (step) => {
    expect(changed(side, step, () => Buffer.alloc(0)).state).not.toBe("done");
    for (const name of ["HELLO", "WELCOME", "INITIATE", "READY", "MESSAGE", "PING", "SUBSCRIBE", "hello"]) {
      if (name === step) continue;
      const outcome = changed(side, step, (_, body) => {
        const data = body.subarray(1 + body[0]);
        const head = Buffer.concat([Buffer.of(name.length), Buffer.from(name)]);
        return frame(Buffer.concat([head, data]), { command: true });
      });
      expect(outcome.error?.code, `${name} for ${step}`).toBe("unexpected-command");
    }
  });

  it("takes no step twice (O5)", () => {
    const step = side.steps[0];
    const outcome = changed(side, step, (octets) => Buffer.concat([octets, octets]));
    expect(outcome.error).toBeInstanceOf(ProtocolError);
  });

  it("an ERROR in place of any step fails (D2 to D4)", () => {
    for (const step of side.steps) {
      for (const [text, code] of [
        ["\x05ERROR\x03400", "authentication-refused"],
        ["\x05ERROR\x04what", "peer-error"],
        ["\x05ERROR", "malformed-error"],
        ["\x05ERROR\x09400", "malformed-error"],
      ]) {
        const outcome = changed(side, step, () => frame(text, { command: true }));
        expect(outcome.error?.code, `${step}: ${text}`).toBe(code);
      }
    }
  });
});

/**
 * Public keys that share the same secret with everybody: zero. A box under it is no proof of anything.
 */
describe("keys of low order", () => {
  /** HSalsa20 of nothing but zeros: crypto_box's key for a shared secret of zeros. */
  const ZERO_KEY = Buffer.from("351f86faa3b988468a850122b65b0acece9c4826806aeee63de9c0da2bd7f91e", "hex");
  const LOW = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  ].map((hex) => Buffer.from(hex, "hex"));

  function zeroBox(plain: Buffer, withNonce: Buffer): Buffer {
    const sealed = Buffer.alloc(plain.length + 16);
    sodium.crypto_secretbox_easy(sealed, plain, withNonce, ZERO_KEY);
    return sealed;
  }

  /** A library that does not mind them: with it the same bytes come through, so it is they that are refused. */
  const careless: CurveCrypto = {
    random: (length) => crypto.random(length),
    publicKey: (secretKey) => crypto.publicKey(secretKey),
    sharedKey: (publicKey, secretKey) =>
      LOW.some((key) => key.equals(publicKey))
        ? Buffer.from(ZERO_KEY)
        : crypto.sharedKey(publicKey, secretKey),
    seal: (message, withNonce, key) => crypto.seal(message, withNonce, key),
    open: (box, withNonce, key) => crypto.open(box, withNonce, key),
    wipe: (octets) => crypto.wipe(octets),
  };

  it.each(LOW.map((key) => [key.toString("hex"), key]))(
    "a HELLO of C' = %s opens nothing, without the server's key (P2)",
    (_, key) => {
      const side = SIDES[0];
      const script = new CurveClient(server.publicKey, { type: "PUSH" }, client);
      const short = shortNonce(1n);
      const signature = zeroBox(Buffer.alloc(64), nonce("CurveZMQHELLO---", short));
      script.hello = () => Buffer.concat([Buffer.of(1, 0), Buffer.alloc(72), key, short, signature]);
      expect(play(side, script).error).toMatchObject({ name: "ProtocolError", code: "key-exchange" });
      expect(play(side, script, careless).error).toBeUndefined();
    },
  );

  it.each(LOW.map((key) => [key.toString("hex"), key]))(
    "a client key C = %s vouches for nobody (P6)",
    (_, key) => {
      const impostor = () => {
        const script = new CurveClient(server.publicKey, { type: "PUSH" });
        script.keys.publicKey = key;
        script.vouch = () => {
          const rest = random(16);
          const plain = Buffer.concat([script.transient.publicKey, server.publicKey]);
          return Buffer.concat([rest, zeroBox(plain, nonce("VOUCH---", rest))]);
        };
        return script;
      };
      expect(play(SIDES[0], impostor()).error).toMatchObject({ name: "ProtocolError", code: "key-exchange" });
      expect(play(SIDES[0], impostor(), careless).state).toBe("done");
    },
  );

  it.each(LOW.map((key) => [key.toString("hex"), key]))(
    "a server's S' = %s is not talked to (P3)",
    (_, key) => {
      const script = new CurveServer(server, { type: "PUSH" });
      script.transient.publicKey = key;
      expect(play(SIDES[1], script).error).toMatchObject({ name: "ProtocolError", code: "key-exchange" });
    },
  );
});
