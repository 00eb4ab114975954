/**
 * Every public export of "zwire/draft", and nothing else: socket types whose RFCs are drafts. They may change with
 * those.
 */
export { Channel, type ChannelOptions } from "./sockets/draft/channel.js";
export { Client, type ClientOptions } from "./sockets/draft/client.js";
export { Dish, type DishGroup, type DishMessage, type DishOptions } from "./sockets/draft/dish.js";
export { Gather, type GatherOptions } from "./sockets/draft/gather.js";
export { Peer, type PeerOptions } from "./sockets/draft/peer.js";
export { Radio, type RadioGroupOptions, type RadioOptions } from "./sockets/draft/radio.js";
export { Scatter, type ScatterOptions } from "./sockets/draft/scatter.js";
export {
  Server,
  type ServerMessage,
  type ServerOptions,
  type ServerRoutingOptions,
} from "./sockets/draft/server.js";
