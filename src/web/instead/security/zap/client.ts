/** Stands for security/zap/client.ts, which asks about the peers of a server. */
import { ZmqError } from "../../../../base/errors.js";

export type { OpenAsking } from "../../../../security/zap/client.js";

/** @throws ZmqError ENOTSUP, from connect(): only a server asks about its peers */
export function zapClient(): never {
  throw new ZmqError("ENOTSUP", {
    detail:
      "a page is a client of PLAIN and CURVE: give it a user name and password, or the key of the server",
  });
}
