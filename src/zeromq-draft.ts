/**
 * Every public export of "zwire/zeromq/draft", and nothing else.
 */
import * as all from "./zeromq/draft.js";

export * from "./zeromq/draft.js";

/** zeromq.js is a CommonJS module, which `import zmq from "zeromq"` and require() get whole. */
export { all as default, all as "module.exports" };

process.emitWarning("ZeroMQ draft features are experimental and could change at any time.");
