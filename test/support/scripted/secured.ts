/**
 * The security mechanisms in one table: options of zwire's sockets for both roles, and scripted peers that fit them.
 * Knows zwire's option names, and nothing behind them.
 */
import { type NetConnectOpts, connect as netConnect } from "node:net";
import { onTestFinished } from "vitest";
import { greeting, RawPeer } from "../raw-peer.js";
import { CurveClient, CurveServer, keyPair } from "./curve.js";
import { NullScript, PlainClient, PlainServer } from "./plain.js";
import type { Script, ScriptOptions } from "./script.js";
import { z85 } from "./z85.js";

/** Keys of the sockets in the table. */
export const SERVER = keyPair();
export const CLIENT = keyPair();
export const USER = { username: "user", password: "secret" };

/** One mechanism. */
export interface Secured {
  readonly name: "NULL" | "PLAIN" | "CURVE";
  /** Options of a socket that lets our clients in, and of one that is let in. */
  readonly server: object;
  readonly client: object;
  clientScript(options: ScriptOptions): Script;
  serverScript(options: ScriptOptions): Script;
}

/** Lets USER in, and nobody else. */
export const accepts = (request: { mechanism: string; username?: string; password?: string }) =>
  request.username === USER.username && request.password === USER.password;

export const NULL: Secured = {
  name: "NULL",
  server: {},
  client: {},
  clientScript: (options) => new NullScript(options),
  serverScript: (options) => new NullScript(options),
};

export const PLAIN: Secured = {
  name: "PLAIN",
  server: { plainServer: true, authenticate: accepts },
  client: { plainUsername: USER.username, plainPassword: USER.password },
  clientScript: (options) => new PlainClient({ ...USER, ...options }),
  serverScript: (options) => new PlainServer(options),
};

export const CURVE: Secured = {
  name: "CURVE",
  server: { curveServer: true, curveSecretKey: z85(SERVER.secretKey) },
  client: {
    curveServerKey: z85(SERVER.publicKey),
    curvePublicKey: z85(CLIENT.publicKey),
    curveSecretKey: z85(CLIENT.secretKey),
  },
  clientScript: (options) => new CurveClient(SERVER.publicKey, options, CLIENT),
  serverScript: (options) => new CurveServer(SERVER, options),
};

/** All of them. */
export const MECHANISMS: readonly Secured[] = [NULL, PLAIN, CURVE];

/**
 * Plays a client's handshake as far as it goes, and waits for the end of the connection.
 * @param script tampered with, so that it must not come through
 * @returns whether the far side let it through
 */
export async function refused(peer: RawPeer, script: Script): Promise<boolean> {
  peer.write(greeting(script.greeting));
  try {
    await peer.readGreeting();
    peer.write(script.begin());
    while (!script.done) peer.write(script.next((await peer.readFrame()).body));
  } catch {
    await peer.closed(); // or it is this that fails
    return true;
  }
  return false;
}

let sources = 0;

/** Dials from an address of its own, so that a hundred thousand connections do not use the ports up. */
export async function dialFromAnywhere(endpoint: string): Promise<RawPeer> {
  const [, host, port] = /^tcp:\/\/(.*):(\d+)$/.exec(endpoint)!;
  const options: NetConnectOpts = { host, port: Number(port) };
  if (process.platform === "linux") {
    const n = sources++ % 60_000;
    options.localAddress = `127.1.${Math.floor(n / 250)}.${1 + (n % 250)}`;
  }
  const socket = netConnect(options);
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return new RawPeer(socket);
}

/** Ends a connection when the test ends. */
export function untilTheEnd(peer: RawPeer): RawPeer {
  onTestFinished(() => peer.close());
  return peer;
}
