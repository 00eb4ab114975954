/**
 * The built zwire for child processes, and their way to talk to the test: JSON lines on stdout and stdin.
 */
import { createInterface } from "node:readline";
import * as zwire from "../../../dist/index.js";

export * from "../../../dist/index.js";

/** The option `tls` of all sockets of this process; absent: they have none. */
const tls = process.env.ZWIRE_TEST_TLS === undefined ? undefined : JSON.parse(process.env.ZWIRE_TEST_TLS);

function secured(Type) {
  if (tls === undefined) return Type;
  return class extends Type {
    constructor(options) {
      super({ tls, ...options });
    }
  };
}

export const Push = secured(zwire.Push);
export const Pull = secured(zwire.Pull);
export const Publisher = secured(zwire.Publisher);
export const Subscriber = secured(zwire.Subscriber);
export const Request = secured(zwire.Request);
export const Reply = secured(zwire.Reply);

/** Tells the test something. */
export function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Calls a function for each line from the test, without keeping the process alive for it. */
export function onLine(listener) {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => listener(JSON.parse(line)));
  process.stdin.unref?.();
}
