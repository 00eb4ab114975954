/**
 * Spans for calls of zwire/rpc, and their context in the headers of requests (W3C Trace Context), as a middleware for clients
 * and servers.
 */
import {
  type Context,
  context,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { version } from "../core/version.js";
import type { ClientRequest, Middleware } from "../rpc/types.js";

/** Options of `rpcTracing`. */
export interface RpcTracingOptions {
  /** Which methods get spans; the context is handed on for all. Default all. */
  readonly only?: (method: string) => boolean;
}

/** The semantic conventions' name for the system; the protocol is zerorpc's. */
const SYSTEM = "zerorpc";

function attributes(method: string): Record<string, string> {
  return { "rpc.system": SYSTEM, "rpc.method": method };
}

function end(span: Span, error: unknown): void {
  if (error !== null && error !== undefined) {
    const { name, message } = error instanceof Error ? error : { name: typeof error, message: String(error) };
    span.setAttribute("error.type", name);
    span.setStatus({ code: SpanStatusCode.ERROR, message });
    if (error instanceof Error) span.recordException(error);
  }
  span.end();
}

interface Steps {
  next(): unknown;
  return?(): unknown;
}

/** The iterator of a stream; null for a value. Arrays, Maps, Sets and strings are values, as for a server. */
function stepsOf(value: unknown): Steps | null {
  if (typeof value !== "object" || value === null) return null;
  const given = value as Partial<AsyncIterable<unknown> & Iterator<unknown> & Iterable<unknown>>;
  if (typeof given[Symbol.asyncIterator] === "function")
    return (given as AsyncIterable<unknown>)[Symbol.asyncIterator]() as Steps;
  return typeof given.next === "function" && typeof given[Symbol.iterator] === "function"
    ? (given as Steps)
    : null;
}

/**
 * A stream whose items are made within a context, and whose span ends with it. It is no generator: the `finally` of one that has
 * not begun never runs, as when the client has left before the first item.
 */
function traced(
  steps: Steps,
  within: Context,
  done: (error: unknown) => void,
): AsyncIterableIterator<unknown> {
  let ended = false;
  const ends = (error: unknown) => {
    if (!ended) done(error);
    ended = true;
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      if (ended) return { done: true, value: undefined };
      try {
        const step = (await context.with(within, () => steps.next())) as IteratorResult<unknown>;
        if (!step.done) return { done: false, value: await step.value };
        ends(null);
        return step;
      } catch (error) {
        ends(error);
        throw error;
      }
    },
    /** The client has left the stream. */
    async return() {
      try {
        if (!ended) await context.with(within, () => steps.return?.());
        ends(null);
      } catch (error) {
        ends(error);
        throw error;
      }
      return { done: true, value: undefined };
    },
  };
}

async function serve(within: Context, next: () => Promise<unknown>, done: (error: unknown) => void) {
  try {
    const value = await context.with(within, next);
    const steps = stepsOf(value);
    if (steps !== null) return traced(steps, within, done);
    done(null);
    return value;
  } catch (error) {
    done(error);
    throw error;
  }
}

/**
 * A middleware for `connect`, `new Client`, `serve` and `new Server` that makes a span of each call: of kind CLIENT from the
 * call to its answer or to the first item of a stream, of kind SERVER from the handler's start to the end of its answer or
 * stream. The context goes in the request's headers, so that both are in one trace. It does nothing until the program has
 * registered a tracer provider with `@opentelemetry/api`.
 * @throws TypeError for wrong options
 */
export function rpcTracing(options: RpcTracingOptions = {}): Middleware {
  const { only, ...rest } = options;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw new TypeError(`rpcTracing has no option "${unknown}"; it has only`);
  if (only !== undefined && typeof only !== "function") {
    throw new TypeError(`only must be a function; got ${typeof only}`);
  }
  const wanted = only ?? (() => true);
  const tracer = trace.getTracer("zwire", version);
  const spans = new WeakMap<ClientRequest, Span>();
  return {
    clientBeforeRequest(request) {
      let active = context.active();
      if (wanted(request.method)) {
        const span = tracer.startSpan(
          request.method,
          { kind: SpanKind.CLIENT, attributes: attributes(request.method) },
          active,
        );
        spans.set(request, span);
        active = trace.setSpan(active, span);
      }
      propagation.inject(active, request.headers);
    },
    clientAfterRequest(request, _result, error) {
      const span = spans.get(request);
      if (span === undefined) return;
      spans.delete(request);
      end(span, error);
    },
    async serverExec(call, next) {
      const parent = propagation.extract(context.active(), texts(call.headers));
      if (!wanted(call.method)) return serve(parent, next, () => {});
      const span = tracer.startSpan(
        call.method,
        { kind: SpanKind.SERVER, attributes: attributes(call.method) },
        parent,
      );
      return serve(trace.setSpan(parent, span), next, (error) => end(span, error));
    },
  };
}

/** The headers that are texts: a propagator expects no others. */
function texts(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  const found = Object.entries(headers).filter(([, value]) => typeof value === "string");
  return Object.fromEntries(found) as Record<string, string>;
}
