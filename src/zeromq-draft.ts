/**
 * Every public export of "zwire/zeromq/draft", and nothing else.
 */
export { Client, Datagram, Dish, Gather, Radio, Scatter, Server } from "./zeromq/draft.js";

process.emitWarning("ZeroMQ draft features are experimental and could change at any time.");
