/**
 * Spans of OpenTelemetry around calls, and their context from caller to server and on: in Node.js, through Python and back.
 * Seen in OpenTelemetry's own in-memory exporter.
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { context, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { rpcTracing } from "../../src/opentelemetry.js";
import { Client, connect, type Server, serve, spawnPython } from "../../src/rpc.js";
import { temporaryDirectory, until } from "../support/helpers.js";
import { python, withPython } from "../support/python-rpc.js";

const exporter = new InMemorySpanExporter();
let provider: NodeTracerProvider;

function register(): void {
  provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  provider.register();
}

beforeEach(register);
afterEach(async () => {
  exporter.reset();
  trace.disable();
  context.disable();
  propagation.disable();
});

async function served(service: object, options: object = { middleware: [rpcTracing()] }): Promise<Server> {
  const server = await serve("tcp://127.0.0.1:*", service as Parameters<typeof serve>[1], options);
  onTestFinished(() => server.close({ grace: 0 }));
  return server;
}

// biome-ignore lint/suspicious/noExplicitAny: methods of any name
function caller(endpoint: string, options: object = { middleware: [rpcTracing()] }): any {
  const api = connect(endpoint, options);
  onTestFinished(() => api.$close());
  return api;
}

/** Spans that have ended, when there are so many. */
async function spans(count: number): Promise<ReadableSpan[]> {
  await until(() => exporter.getFinishedSpans().length >= count, `${count} spans`);
  return exporter.getFinishedSpans();
}

const find = (all: ReadableSpan[], name: string, kind: SpanKind): ReadableSpan =>
  all.find((span) => span.name === name && span.kind === kind) as ReadableSpan;
const ids = (all: ReadableSpan[]) => new Set(all.map((span) => span.spanContext().traceId));
const isChild = (child: ReadableSpan, parent: ReadableSpan) =>
  expect(child.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);

describe("rpcTracing", () => {
  it("makes a span of each call on both sides, in one trace, also of the calls that a handler makes", async () => {
    const inner = await served({ half: (n: number) => n / 2 });
    const api = caller(inner.endpoint);
    const outer = await served({ quarter: async (n: number) => api.half(await api.half(n)) });
    expect(await caller(outer.endpoint).quarter(8)).toBe(2);
    const all = await spans(6);
    expect(all).toHaveLength(6);
    expect(ids(all).size).toBe(1);
    const [asked, answered] = [find(all, "quarter", SpanKind.CLIENT), find(all, "quarter", SpanKind.SERVER)];
    expect(asked.parentSpanContext).toBeUndefined();
    isChild(answered, asked);
    for (const half of all.filter(({ name, kind }) => name === "half" && kind === SpanKind.CLIENT))
      isChild(half, answered);
    expect(asked.attributes).toEqual({ "rpc.system": "zerorpc", "rpc.method": "quarter" });
    expect(asked.instrumentationScope.name).toBe("zwire");
  });

  it("calls belong to the span that is active where they are made", async () => {
    const api = caller((await served({ id: (value: unknown) => value })).endpoint);
    const parent = trace.getTracer("test").startSpan("parent");
    await context.with(trace.setSpan(context.active(), parent), () => api.id(1));
    parent.end();
    const all = await spans(3);
    isChild(find(all, "id", SpanKind.CLIENT), find(all, "parent", SpanKind.INTERNAL));
  });

  it("says what went wrong on either side", async () => {
    const fail = () => {
      throw new RangeError("too far");
    };
    const api = caller((await served({ fail })).endpoint);
    await expect(api.fail()).rejects.toThrow("too far");
    for (const span of await spans(2)) {
      expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message: "too far" });
      expect(span.events.map(({ name }) => name)).toEqual(["exception"]);
    }
    expect(find(exporter.getFinishedSpans(), "fail", SpanKind.SERVER).attributes["error.type"]).toBe(
      "RangeError",
    );
  });

  it("ends the span of a call that cannot be sent, or that nobody answers", async () => {
    const api = caller("tcp://127.0.0.1:9");
    expect(() => api.call(() => {})).toThrow(TypeError);
    await expect(api.$call("late", [], { timeout: 20 })).rejects.toThrow();
    const all = await spans(2);
    expect(all.map(({ attributes }) => attributes["error.type"])).toEqual(["TypeError", "TimeoutExpired"]);
  });

  it("a stream's span lasts to its end, and its items are made in the caller's trace", async () => {
    const inner = caller((await served({ twice: (n: number) => 2 * n })).endpoint);
    const server = await served({
      async *count(n: number) {
        for (let i = 0; i < n; i++) yield await inner.twice(i);
      },
    });
    const items: number[] = [];
    for await (const item of caller(server.endpoint).count(3)) items.push(item);
    expect(items).toEqual([0, 2, 4]);
    const all = await spans(8);
    expect(ids(all).size).toBe(1);
    const counted = find(all, "count", SpanKind.SERVER);
    for (const span of all.filter(({ name, kind }) => name === "twice" && kind === SpanKind.CLIENT))
      isChild(span, counted);
    expect(all.at(-1)).toBe(counted);
  });

  it("a stream that the client leaves ends its span, and its finally runs", async () => {
    let cleaned = false;
    const server = await served({
      async *endless() {
        try {
          for (let i = 0; ; i++) yield i;
        } finally {
          cleaned = true;
        }
      },
    });
    for await (const _ of caller(server.endpoint).endless()) break;
    const all = await spans(2);
    expect(find(all, "endless", SpanKind.SERVER).status.code).toBe(SpanStatusCode.UNSET);
    await until(() => cleaned, "finally");
  });

  it("a stream that fails says so", async () => {
    const server = await served({
      *broken() {
        yield 1;
        throw new Error("in the middle");
      },
    });
    const read = async () => {
      for await (const _ of caller(server.endpoint).broken());
    };
    await expect(read()).rejects.toThrow("in the middle");
    const all = await spans(2);
    expect(find(all, "broken", SpanKind.SERVER).status.message).toBe("in the middle");
  });

  it("{ only } chooses methods; the context of others is handed on all the same", async () => {
    const only = (method: string) => method !== "ping";
    const inner = caller((await served({ end: () => "end" })).endpoint);
    const middleware = [rpcTracing({ only })];
    const server = await served({ ping: () => inner.end() }, { middleware });
    const parent = trace.getTracer("test").startSpan("parent");
    const api = caller(server.endpoint, { middleware });
    expect(await context.with(trace.setSpan(context.active(), parent), () => api.ping())).toBe("end");
    parent.end();
    const all = await spans(3);
    expect(all.map(({ name }) => name).sort()).toEqual(["end", "end", "parent"]);
    expect(ids(all).size).toBe(1);
  });

  it("does nothing without a tracer provider, and a peer that has none need not know", async () => {
    trace.disable();
    context.disable();
    propagation.disable();
    const seen: object[] = [];
    const server = await served(
      { id: (value: unknown) => value },
      { middleware: [{ loadTaskContext: (headers: object) => void seen.push(headers) }] },
    );
    expect(await caller(server.endpoint).id(1)).toBe(1);
    expect(seen).toEqual([{}]);
    register();
    expect(await caller(server.endpoint).id(2)).toBe(2);
    expect(seen[1]).toEqual({ traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/) });
  });

  it("takes a hostile header for none", async () => {
    const server = await served({ id: (value: unknown) => value });
    for (const traceparent of [
      1,
      null,
      ["x"],
      { a: 1 },
      "nonsense",
      "x".repeat(100_000),
      Buffer.from("00"),
    ]) {
      const client = new Client(server.endpoint, { headers: { traceparent } });
      expect(await client.call("id", [1])).toBe(1);
      await client.close();
    }
    const all = await spans(7);
    expect(all.every((span) => span.parentSpanContext === undefined)).toBe(true);
  });

  it("refuses wrong options", () => {
    expect(() => rpcTracing({ all: true } as object)).toThrow('rpcTracing has no option "all"; it has only');
    expect(() => rpcTracing({ only: "x" } as unknown as object)).toThrow(
      "only must be a function; got string",
    );
  });
});

const RELAY = `
import zwire_rpc
server = zwire_rpc.Server()
@server.expose
async def relay(endpoint, name):
    async with zwire_rpc.Client(endpoint) as client:
        return [zwire_rpc.headers().get("traceparent"), await client.greet(name)]
@server.expose
def plain(value):
    return value
server.run()
`;
const otel = spawnSync(python.command ?? "false", ["-c", "import opentelemetry.propagate"]).status === 0;

describe.skipIf(python.command === null)(`calls through Python, ${withPython}`, () => {
  it(`one trace from Node through Python and back to Node (Python ${otel ? "with" : "without"} OpenTelemetry)`, async () => {
    const script = join(temporaryDirectory(), "relay.py");
    writeFileSync(script, RELAY);
    const worker = await spawnPython(script, { client: { middleware: [rpcTracing()] } });
    onTestFinished(() => worker.close());
    const home = await served({ greet: (name: string) => `hello ${name}` });
    // biome-ignore lint/suspicious/noExplicitAny: methods of any name
    const api = worker.api as any;
    const [traceparent, said] = await api.relay(home.endpoint, "Ada");
    expect(said).toBe("hello Ada");
    const all = await spans(2);
    expect(all.map(({ name, kind }) => [name, kind])).toEqual([
      ["greet", SpanKind.SERVER],
      ["relay", SpanKind.CLIENT],
    ]);
    const [greeted, relayed] = all;
    expect(greeted.spanContext().traceId).toBe(relayed.spanContext().traceId);
    // Python makes no span of its own: what Node serves is a child of what Node asked.
    isChild(greeted, relayed);
    expect(traceparent).toContain(relayed.spanContext().spanId);
    // Without a trace nothing is made up.
    trace.disable();
    propagation.disable();
    expect((await api.relay(home.endpoint, "Bob"))[0]).toBeNull();
    expect(await api.plain(1)).toBe(1);
  });
});

it("the span of a stream ends when its client has left before the handler returns it", async () => {
  let go = () => {};
  const gone = new Promise<void>((resolve) => (go = resolve));
  let returned = 0;
  const rows = { next: () => ({ value: 1 }), return: () => void returned++ };
  const server = await served({
    async rows() {
      await gone;
      return { [Symbol.asyncIterator]: () => rows };
    },
  });
  const api = connect(server.endpoint, { timeout: 100 });
  await expect((api as unknown as { rows(): Promise<unknown> }).rows()).rejects.toThrow();
  await api.$close();
  go();
  const [span] = await spans(1);
  expect([span.name, span.kind, returned]).toEqual(["rows", SpanKind.SERVER, 1]);
});
