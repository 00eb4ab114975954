/** Sockets whose messages carry contexts of traces, and OpenTelemetry's in-memory exporter, which sees their spans. */
import { context, propagation, ROOT_CONTEXT, type SpanContext, TraceFlags, trace } from "@opentelemetry/api";
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { afterEach, beforeEach } from "vitest";
import type { Socket } from "../../src/index.js";
import { contextOf, traceMessages } from "../../src/opentelemetry.js";
import { managed, temporaryDirectory } from "./helpers.js";

export const exporter = new InMemorySpanExporter();
const isTraced = new Set<Socket>();
/** A socket that carries contexts, until the test ends. */
export function traced<T extends Socket>(socket: T): T {
  isTraced.add(socket);
  return traceMessages(managed(socket));
}
/** Whether a socket is one of those. */
export const carries = (socket: Socket): boolean => isTraced.has(socket);

/** Each test of the file has a provider of its own, and finds the exporter empty. */
export function provideTracing(): void {
  beforeEach(() => {
    new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
  });
  afterEach(() => {
    exporter.reset();
    trace.disable();
    context.disable();
    propagation.disable();
  });
}

const spanContext = (n: number): SpanContext => ({
  traceId: n.toString(16).padStart(32, "0"),
  spanId: n.toString(16).padStart(16, "0"),
  traceFlags: TraceFlags.SAMPLED,
});
/** Does something in the context number n. */
export const inContext = <T>(n: number, run: () => T): T =>
  context.with(trace.setSpanContext(ROOT_CONTEXT, spanContext(n)), run);
/** The number of the context that came with a message; 0 for none. */
export const numberOf = (message: object): number => {
  const found = trace.getSpanContext(contextOf(message, ROOT_CONTEXT));
  return found === undefined ? 0 : Number.parseInt(found.spanId, 16);
};

/** An endpoint to bind over each transport. */
export const PLACES: Record<string, (name: string) => string> = {
  tcp: () => "tcp://127.0.0.1:*",
  ws: () => "ws://127.0.0.1:*",
  ipc: (name) => `ipc://${temporaryDirectory()}/${name}`,
  inproc: (name) => `inproc://traced-${name}`,
};
