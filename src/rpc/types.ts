/**
 * The public types of zwire/rpc, in one place for those who import them.
 */
export type * from "./types/middleware.js";
export type * from "./types/options.js";
export type * from "./types/remote.js";
export type * from "./types/service.js";
export type * from "./types/stats.js";
export type { EventLimits } from "./wire/codec.js";
