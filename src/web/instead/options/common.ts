/** As options/common.ts: without the options that a page does not have. */
import type { ContextField } from "../../../options/options.js";
import type { GROUPS } from "./groups.js";

type Rows<Name extends keyof typeof GROUPS> = NonNullable<(typeof GROUPS)[Name]["fields"]>;

/** Options of all sockets. Times are in milliseconds, sizes in bytes, unless said otherwise. */
export interface SocketOptions
  extends ContextField,
    Rows<"queues">,
    Rows<"connections">,
    Rows<"limits">,
    Rows<"security"> {}

/** Options of sockets that send. */
export interface WritableOptions extends Rows<"sending"> {}

/** Options of sockets that receive. */
export interface ReadableOptions extends Rows<"receiving"> {}
