/**
 * The two libraries by name, each with its main and its draft module. zwire comes from dist/, so that plain
 * JavaScript runs what a consumer gets.
 */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const { resolve } = createRequire(import.meta.url);

/** What a worker thread can import. */
export function moduleOf(name) {
  return name === "zeromq"
    ? pathToFileURL(resolve("zeromq")).href
    : new URL("../../../dist/zeromq.js", import.meta.url).href;
}

/** The draft module is loaded only where asked for: loading it warns. */
export async function load(name, withDraft = true) {
  const zmq = await import(moduleOf(name));
  if (!withDraft) return { zmq };
  const draft =
    name === "zeromq" ? await import("zeromq/draft.js") : await import("../../../dist/zeromq-draft.js");
  return { zmq, draft };
}
