/**
 * Every public export of "zwire/zeromq/draft", and nothing else.
 */
import * as all from "./zeromq/draft.js";

export * from "./zeromq/draft.js";

/** zeromq.js is a CommonJS module, which `import zmq from "zeromq"` gets whole. */
export default all;

/** @internal require() gets it whole, too. Not declared: TypeScript before 5.6 does not know names in quotes. */
export { all as "module.exports" };

process.emitWarning("ZeroMQ draft features are experimental and could change at any time.");
