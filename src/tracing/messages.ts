/**
 * The context of messages of plain sockets: with each goes the active context of its sender (W3C Trace Context), to peers
 * that do the same.
 */
import { type Context, context, propagation } from "@opentelemetry/api";
import { coreOf, type Socket } from "../api/socket.js";
import { CARRIED_BYTES, carriedBy } from "../base/carried.js";
import { ZmqError } from "../base/errors.js";
import { Buffer } from "../base/platform.js";

const NOTHING = new Uint8Array(0);
/** https://www.w3.org/TR/trace-context/#traceparent-header-field-values, as version 00 has them. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
/** Longer ones need not be handed on. */
const TRACESTATE = /^[\x20-\x7e]{1,512}$/;

/** The active context as bytes: traceparent and, behind a line feed, tracestate. Empty if there is none. */
function activeContext(): Uint8Array {
  const fields: Record<string, unknown> = {};
  propagation.inject(context.active(), fields);
  const { traceparent, tracestate } = fields;
  if (typeof traceparent !== "string" || !TRACEPARENT.test(traceparent)) return NOTHING;
  const state = typeof tracestate === "string" && TRACESTATE.test(tracestate) ? `\n${tracestate}` : "";
  return Buffer.from(traceparent + state, "latin1");
}

function fieldsOf(bytes: Uint8Array): Record<string, string> {
  if (bytes.length > CARRIED_BYTES) return {};
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  const [traceparent, tracestate, ...rest] = text.split("\n");
  if (!TRACEPARENT.test(traceparent) || rest.length > 0) return {};
  if (tracestate === undefined) return { traceparent };
  return TRACESTATE.test(tracestate) ? { traceparent, tracestate } : {};
}

/**
 * From now on, the context that is active when the program sends a message goes with it, to peers whose sockets do the same;
 * for them `contextOf(message)` has it. Call it before bind() and connect(). Other peers get their messages as before.
 * @returns the socket
 * @throws TypeError for what is no socket of zwire; ZmqError EINVAL for a Stream, or a socket that has endpoints; EBADF
 */
export function traceMessages<S extends Socket>(socket: S): S {
  if (typeof socket !== "object" || socket === null)
    throw new TypeError(`socket must be a socket of zwire; got ${socket === null ? "null" : typeof socket}`);
  const core = coreOf(socket);
  core.requireOpen();
  if (core.raw) throw new ZmqError("EINVAL", { detail: "a Stream has no messages to add anything to" });
  if (!core.carries && (core.attached || core.pipes.size > 0)) {
    const detail = "the socket has endpoints already: call traceMessages() before bind() and connect()";
    throw new ZmqError("EINVAL", { detail });
  }
  core.carries = true;
  core.sender?.carry(activeContext);
  return socket;
}

/**
 * The context that came with a received message, on top of another one (default: the active one). That other one, if none
 * came, or if what the peer sent is no valid context. The message must be the array that the socket gave.
 * @throws TypeError for what is no message
 */
export function contextOf(message: object, within: Context = context.active()): Context {
  if (!Array.isArray(message))
    throw new TypeError(`message must be a message as a socket gave it; got ${typeof message}`);
  const bytes = carriedBy(message);
  return bytes === undefined ? within : propagation.extract(within, fieldsOf(bytes));
}
