/**
 * Every public export of "zwire/zeromq/draft", and nothing else.
 */
import * as all from "./zeromq/draft.js";

export * from "./zeromq/draft.js";

/** As for "zwire/zeromq". */
export default all;

process.emitWarning("ZeroMQ draft features are experimental and could change at any time.");
