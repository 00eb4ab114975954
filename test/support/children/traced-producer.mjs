/** Sends a message within a span to an endpoint, from another process or another thread, and tells the span's ids. */
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { SpanKind, trace } from "@opentelemetry/api";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { traceMessages } from "../../../dist/opentelemetry.js";
import { Push } from "./zwire.mjs";

new NodeTracerProvider().register();
const push = traceMessages(new Push());
push.connect(isMainThread ? process.argv[2] : workerData);
await trace.getTracer("producer").startActiveSpan("publish", { kind: SpanKind.PRODUCER }, async (span) => {
  await push.send(["an", "order"]);
  span.end();
  const { traceId, spanId } = span.spanContext();
  if (isMainThread) console.log(JSON.stringify({ traceId, spanId }));
  else parentPort.postMessage({ traceId, spanId });
});
await push.close();
