/** Stands for wire/zmtp/mechanisms/choose.ts: a page is a client of PLAIN and CURVE, because it accepts nobody. */
import { ZmqError } from "../../../../../base/errors.js";
import { CurveClient } from "../../../../../wire/zmtp/mechanisms/curve-client.js";
import type { CurveCrypto, Mechanism } from "../../../../../wire/zmtp/mechanisms/mechanism.js";
import { NullMechanism } from "../../../../../wire/zmtp/mechanisms/null.js";
import { PlainClient } from "../../../../../wire/zmtp/mechanisms/plain.js";
import type { Security } from "../../../../../wire/zmtp/mechanisms/security.js";

export function chooseMechanism(
  security: Security,
  properties: Iterable<readonly [string, Uint8Array]>,
  crypto: CurveCrypto | undefined,
): Mechanism {
  if (security.mechanism === "NULL") return new NullMechanism(properties, false);
  if (security.mechanism === "PLAIN" && !security.server)
    return new PlainClient(properties, security.username, security.password);
  if (security.mechanism === "CURVE" && !security.server && crypto !== undefined)
    return new CurveClient(properties, security, crypto);
  throw new ZmqError("ENOTSUP");
}
