/**
 * Every public export of "zwire/zeromq", and nothing else: zeromq.js 6.8's surface over zwire's engine, so that a
 * program of that library changes one import.
 */
import * as all from "./zeromq/all.js";

export * from "./zeromq/all.js";

/** zeromq.js is a CommonJS module, which `import zmq from "zeromq"` gets whole. */
export default all;

/** @internal require() gets it whole, too. Not declared: TypeScript before 5.6 does not know names in quotes. */
export { all as "module.exports" };
