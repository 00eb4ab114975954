/**
 * Makes our side of one connection's mechanism from the security of its socket.
 */
import { CurveClient } from "./curve-client.js";
import { CurveServer } from "./curve-server.js";
import type { CurveCrypto, Mechanism } from "./mechanism.js";
import { NullMechanism } from "./null.js";
import { PlainClient, PlainServer } from "./plain.js";
import type { Security } from "./security.js";

/**
 * @param properties what we say about ourselves in READY or INITIATE
 * @param crypto needed for CURVE only
 * @throws RangeError for a property that cannot be encoded
 */
export function chooseMechanism(
  security: Security,
  properties: Iterable<readonly [string, Uint8Array]>,
  crypto: CurveCrypto | undefined,
): Mechanism {
  switch (security.mechanism) {
    case "NULL":
      return new NullMechanism(properties, security.ask);
    case "PLAIN":
      return security.server
        ? new PlainServer(properties)
        : new PlainClient(properties, security.username, security.password);
    case "CURVE":
      if (crypto === undefined) throw new Error("assertion: CURVE without a crypto library");
      return security.server
        ? new CurveServer(properties, security, security.ask, crypto)
        : new CurveClient(properties, security, crypto);
  }
}
