/** Stands for session/carried-sink.ts: a page never agrees on contexts of traces. */
export class CarriedSink {}
