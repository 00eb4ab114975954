/** What an authenticator is asked, and what it answers. */
import { curveKeyPair, z85Decode } from "../../src/index.js";
import type { AuthenticationRequest } from "../../src/security/authenticator.js";
import type { Authenticate } from "../../src/security/callback.js";

export const [ANN, BOB, SERVER] = [curveKeyPair(), curveKeyPair(), curveKeyPair()];
const AT = {
  domain: "",
  address: "127.0.0.1",
  endpoint: "tcp://127.0.0.1:5",
  routingId: new Uint8Array(0),
  metadata: new Map(),
};
/** A request of each mechanism. */
export const nobody = (more = {}): AuthenticationRequest => ({ ...AT, mechanism: "NULL", ...more });
export const user = (username: string, password: string, more = {}): AuthenticationRequest => ({
  ...AT,
  mechanism: "PLAIN",
  username,
  password,
  ...more,
});
export const key = (publicKey: string, more = {}): AuthenticationRequest => ({
  ...AT,
  mechanism: "CURVE",
  publicKey: z85Decode(publicKey),
  ...more,
});

/** The answer as it is. */
export const ask = async (authenticate: Authenticate, request: AuthenticationRequest) =>
  authenticate(request, new AbortController().signal);
/** The user id, "" for none, or undefined if it is refused. */
export async function entry(
  authenticate: Authenticate,
  request: AuthenticationRequest,
): Promise<string | undefined> {
  const answer = await ask(authenticate, request);
  if (typeof answer === "string") return answer;
  if (answer === true) return "";
  return typeof answer === "object" && answer?.status === 200 ? (answer.userId ?? "") : undefined;
}
