/**
 * Options by libzmq's number (zmq.h): what `getInt32Option(17)` means. The numbers of options are in their rows; here
 * are those that read a state or do something.
 */

import { ZmqError } from "../base/errors.js";
import { Buffer } from "../base/platform.js";
import { binary, flag, int, type NumberedOption, type NumberKind, owned, readOnly } from "./number-forms.js";
import type { Row } from "./row.js";
import { routingId } from "./rules.js";
import { ROWS } from "./table.js";

export type { NumberedOption, NumberKind, Target } from "./number-forms.js";

function topicAction(name: "subscribe" | "unsubscribe"): NumberedOption {
  return {
    kind: "binary",
    write: (target, value) => {
      const action = target[name];
      if (action === undefined)
        throw new ZmqError("EINVAL", { detail: `a socket of this type cannot ${name}` });
      action.call(target, Buffer.from((value ?? "") as string));
    },
  };
}

function refused(kind: NumberKind, reason: string): NumberedOption {
  const refuse = (): never => {
    throw new ZmqError("ENOTSUP", { detail: reason });
  };
  return { kind, read: refuse, write: refuse };
}

/** Numbers that are not options: they read a state or start an action instead of storing a value. */
const NOT_OPTIONS: readonly (readonly [number, NumberedOption])[] = [
  [6, topicAction("subscribe")],
  [7, topicAction("unsubscribe")],
  [13, refused("int", "RCVMORE: messages are received whole")],
  [14, refused("int", "FD: a socket has no descriptor to poll; await receive() or send()")],
  [15, refused("int", "EVENTS: use tryReceive() and trySend() instead of polling")],
  [16, readOnly(int("type"))],
  [32, readOnly(binary("lastEndpoint"))],
  [41, refused("int", "ROUTER_RAW: use Stream")],
  [43, mechanism()],
  [61, connectRoutingId()],
  [81, threadSafe()],
  [116, readOnly(int("topicsCount"))],
];

/** The numbers of rows. */
export function numbersOf(rows: Readonly<Record<string, Row>>): [number, NumberedOption][] {
  return Object.entries(rows).flatMap(([name, { numbers }]) =>
    numbers.map(({ number, access }): [number, NumberedOption] => [number, access(name)]),
  );
}

/** Options of sockets by number. */
export const SOCKET_OPTION_NUMBERS: ReadonlyMap<number, NumberedOption> = new Map<number, NumberedOption>([
  ...NOT_OPTIONS,
  ...numbersOf(ROWS),
]);

/** Options of contexts by number. Numbers 3 and 4 mean different things to read and to set. */
export const CONTEXT_OPTION_NUMBERS: ReadonlyMap<number, NumberedOption> = new Map<number, NumberedOption>([
  [1, int("ioThreads")],
  [2, int("maxSockets")],
  [3, { kind: "int", read: int("maxSocketsLimit").read, write: int("threadPriority").write }],
  [4, { kind: "int", write: int("threadSchedulingPolicy").write }],
  [5, int("maxMessageSize")],
  [42, flag("ipv6")],
  [70, flag("blocky")],
]);

function mechanism(): NumberedOption {
  const names = [null, "plain", "curve", "gssapi"];
  return { kind: "int", read: (target) => names.indexOf(target.securityMechanism as string | null) };
}

function threadSafe(): NumberedOption {
  return { kind: "int", read: (target) => Number(target.threadSafe) };
}

function connectRoutingId(): NumberedOption {
  return {
    kind: "binary",
    write: (target, value) => {
      owned(target, "nextRoutingId");
      target.nextRoutingId = routingId("connectRoutingId", value);
    },
  };
}
