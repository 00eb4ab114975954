/**
 * Every public export of "zwire/zeromq", and nothing else: zeromq.js 6.8's surface over zwire's engine, so that a
 * program of that library changes one import.
 */
import * as all from "./zeromq/all.js";

export * from "./zeromq/all.js";

/** zeromq.js is a CommonJS module, which `import zmq from "zeromq"` and require() get whole. */
export { all as default, all as "module.exports" };
