/**
 * The options that many socket types have, as types of their own for programs that pass them on.
 */
import type { GROUPS } from "./groups.js";
import type { ContextField } from "./options.js";

type Rows<Name extends keyof typeof GROUPS> = NonNullable<(typeof GROUPS)[Name]["fields"]>;

/** Options of all sockets. Times are in milliseconds, sizes in bytes, unless said otherwise. */
export interface SocketOptions
  extends ContextField,
    Rows<"queues">,
    Rows<"connections">,
    Rows<"limits">,
    Rows<"admission">,
    Rows<"network">,
    SecurityOptions,
    Rows<"foreign"> {}

/** How connections over tcp and ipc are secured, and who is let in; see docs/security.md. */
export interface SecurityOptions extends Rows<"security">, Rows<"server">, Rows<"tls">, Rows<"gssapi"> {}

/** Options of sockets that send. */
export interface WritableOptions extends Rows<"sending">, Rows<"loans"> {}

/** Options of sockets that receive. */
export interface ReadableOptions extends Rows<"receiving">, Rows<"borrowing"> {}
