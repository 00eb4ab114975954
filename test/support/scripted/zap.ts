/** A ZAP handler (RFC 27) for libzmq sockets of this process, through zeromq.js. Knows nothing of zwire. */
import { onTestFinished } from "vitest";
import * as zmq from "zeromq";

/** A request, as text. */
export interface ZapRequest {
  readonly domain: string;
  readonly address: string;
  readonly mechanism: string;
  /** latin1. */
  readonly credentials: string[];
}

/**
 * Answers until the test ends: 200 or 400 by the predicate, to each request with its own id.
 * @returns the requests so far
 */
export function zapHandler(accepts: (request: ZapRequest) => boolean): ZapRequest[] {
  const requests: ZapRequest[] = [];
  const handler = new zmq.Router();
  handler.bindSync("inproc://zeromq.zap.01");
  onTestFinished(() => handler.close());
  (async () => {
    for await (const [peer, , version, id, domain, address, , mechanism, ...credentials] of handler) {
      const request = {
        domain: String(domain),
        address: String(address),
        mechanism: String(mechanism),
        credentials: credentials.map((octets) => octets.toString("latin1")),
      };
      requests.push(request);
      const [status, text] = accepts(request) ? ["200", "OK"] : ["400", "no"];
      await handler.send([peer, "", version, id, status, text, "user", ""]);
    }
  })();
  return requests;
}
