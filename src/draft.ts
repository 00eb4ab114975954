/**
 * Every public export of "zwire/draft", and nothing else: socket types whose RFCs are drafts. They may change with
 * those.
 */
export { Channel, type ChannelOptions } from "./api/sockets/draft/channel.js";
export { Client, type ClientOptions } from "./api/sockets/draft/client.js";
export { Datagram, type DatagramMessage, type DatagramOptions } from "./api/sockets/draft/datagram.js";
export { Dish, type DishGroup, type DishMessage, type DishOptions } from "./api/sockets/draft/dish.js";
export { Gather, type GatherOptions } from "./api/sockets/draft/gather.js";
export { Peer, type PeerOptions } from "./api/sockets/draft/peer.js";
export { Radio, type RadioGroupOptions, type RadioOptions } from "./api/sockets/draft/radio.js";
export { Scatter, type ScatterOptions } from "./api/sockets/draft/scatter.js";
export {
  Server,
  type ServerMessage,
  type ServerOptions,
  type ServerRoutingOptions,
} from "./api/sockets/draft/server.js";
