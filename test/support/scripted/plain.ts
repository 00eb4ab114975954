/** Scripted peers for NULL and PLAIN (RFC 24 and 37), client and server. See script.ts. */
import { command, commandBody, frame, type GreetingOptions, metadata } from "../raw-peer.js";
import {
  commandFrame,
  type Plain,
  propertiesOf,
  type Script,
  type ScriptOptions,
  split,
  type Tamper,
} from "./script.js";

const NOTHING = Buffer.alloc(0);

/** What NULL and PLAIN have in common: frames go as they are. */
abstract class Unprotected implements Script {
  readonly greeting: GreetingOptions;
  done = false;
  theirs: ReadonlyMap<string, Buffer> = new Map();
  protected readonly properties: Buffer;
  protected readonly tamper: Tamper | undefined;

  constructor(mechanism: string, asServer: number, options: ScriptOptions) {
    this.greeting = { mechanism, asServer, ...options.greeting };
    this.properties =
      options.metadata ?? metadata([["Socket-Type", options.type], ...(options.properties ?? [])]);
    this.tamper = options.tamper;
  }

  abstract begin(): Buffer;
  abstract next(body: Buffer): Buffer;

  protected say(name: string, data: Buffer = NOTHING): Buffer {
    return commandFrame(name, commandBody(name, data), this.tamper);
  }

  protected expect(name: string, body: Buffer): Buffer {
    const command = split(body);
    if (command.name !== name) throw new Error(`${command.name} came instead of ${name}`);
    return command.data;
  }

  seal(flags: number, body: Buffer | string): Buffer {
    return frame(body, { more: (flags & 1) !== 0, command: (flags & 4) !== 0 });
  }

  open(flags: number, body: Buffer): Plain {
    return { flags, body };
  }
}

/** NULL, either side. */
export class NullScript extends Unprotected {
  constructor(options: ScriptOptions) {
    super("NULL", 0, options);
  }

  begin(): Buffer {
    return this.say("READY", this.properties);
  }

  next(body: Buffer): Buffer {
    this.theirs = propertiesOf(this.expect("READY", body));
    this.done = true;
    return NOTHING;
  }
}

/** A PLAIN client. `hello` may be replaced, right or wrong. */
export class PlainClient extends Unprotected {
  hello: Buffer;
  #welcomed = false;

  constructor(options: ScriptOptions & { username: string; password: string }) {
    super("PLAIN", 0, options);
    const texts = [options.username, options.password].map((text) => Buffer.from(text));
    this.hello = Buffer.concat(texts.flatMap((text) => [Buffer.from([text.length]), text]));
  }

  begin(): Buffer {
    return this.say("HELLO", this.hello);
  }

  next(body: Buffer): Buffer {
    if (!this.#welcomed) {
      const rest = this.expect("WELCOME", body);
      if (rest.length > 0) throw new Error(`${rest.length} octets behind WELCOME`); // O2
      this.#welcomed = true;
      return this.say("INITIATE", this.properties);
    }
    this.theirs = propertiesOf(this.expect("READY", body));
    this.done = true;
    return NOTHING;
  }
}

/** A PLAIN server that lets everybody in, or refuses with a text. */
export class PlainServer extends Unprotected {
  username = "";
  password = "";
  readonly #refusal: string | undefined;
  #state: "hello" | "initiate" = "hello";

  constructor(options: ScriptOptions & { refusal?: string }) {
    super("PLAIN", 1, options);
    this.#refusal = options.refusal;
  }

  begin(): Buffer {
    return NOTHING;
  }

  next(body: Buffer): Buffer {
    if (this.#state === "hello") {
      const data = this.expect("HELLO", body);
      const passwordAt = 1 + data[0];
      this.username = data.toString("latin1", 1, passwordAt);
      const end = passwordAt + 1 + data[passwordAt];
      if (end !== data.length) throw new Error("HELLO is not as long as it says");
      this.password = data.toString("latin1", passwordAt + 1, end);
      this.#state = "initiate";
      if (this.#refusal === undefined) return this.say("WELCOME");
      return command("ERROR", `${String.fromCharCode(this.#refusal.length)}${this.#refusal}`);
    }
    this.theirs = propertiesOf(this.expect("INITIATE", body));
    this.done = true;
    return this.say("READY", this.properties);
  }
}
