/**
 * The commands of `zwire`. A new one is a row here and a file in commands/.
 */
import type { CommandEntry } from "./command.js";

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "push",
    summary: "send messages, each to one receiver",
    load: async () => (await import("./commands/push.js")).push,
  },
  {
    name: "pull",
    summary: "print the messages of senders",
    load: async () => (await import("./commands/pull.js")).pull,
  },
  {
    name: "pub",
    summary: "publish messages",
    load: async () => (await import("./commands/pub.js")).pub,
  },
  {
    name: "sub",
    summary: "print what is published",
    load: async () => (await import("./commands/sub.js")).sub,
  },
  {
    name: "req",
    summary: "ask, and print the answers",
    load: async () => (await import("./commands/req.js")).req,
  },
  {
    name: "rep",
    summary: "answer questions: an echo server and more",
    load: async () => (await import("./commands/rep.js")).rep,
  },
  {
    name: "dealer",
    summary: "send and receive, to peers in turn",
    load: async () => (await import("./commands/dealer.js")).dealer,
  },
  {
    name: "router",
    summary: "send and receive, to peers by name",
    load: async () => (await import("./commands/router.js")).router,
  },
  {
    name: "pair",
    summary: "send and receive, with one peer",
    load: async () => (await import("./commands/pair.js")).pair,
  },
  {
    name: "proxy",
    summary: "forward messages between two sockets",
    load: async () => (await import("./commands/proxy.js")).proxy,
  },
  {
    name: "top",
    summary: "a live table of the sockets and peers of a process",
    load: async () => (await import("./commands/top.js")).top,
  },
  {
    name: "bench",
    summary: "test throughput and latency between two machines",
    load: async () => (await import("./commands/bench.js")).bench,
  },
  {
    name: "record",
    summary: "record what a socket receives, with times",
    load: async () => (await import("./commands/record.js")).recordCommand,
  },
  {
    name: "replay",
    summary: "send what was recorded, at its times",
    load: async () => (await import("./commands/replay.js")).replayCommand,
  },
  {
    name: "doctor",
    summary: "what is installed, what this machine allows, and whether messages arrive",
    load: async () => (await import("./commands/doctor.js")).doctor,
  },
  {
    name: "keygen",
    summary: "make a pair of CURVE keys",
    load: async () => (await import("./commands/keygen.js")).keygen,
  },
  {
    name: "client",
    summary: "draft: send and receive, with servers",
    load: async () => (await import("./commands/client.js")).client,
  },
  {
    name: "server",
    summary: "draft: send and receive, with clients by number",
    load: async () => (await import("./commands/server.js")).server,
  },
  {
    name: "peer",
    summary: "draft: send and receive, with peers by number",
    load: async () => (await import("./commands/peer.js")).peer,
  },
  {
    name: "channel",
    summary: "draft: send and receive, with one peer",
    load: async () => (await import("./commands/channel.js")).channel,
  },
  {
    name: "scatter",
    summary: "draft: send messages, each to one receiver",
    load: async () => (await import("./commands/scatter.js")).scatter,
  },
  {
    name: "gather",
    summary: "draft: print the messages of senders",
    load: async () => (await import("./commands/gather.js")).gather,
  },
  {
    name: "radio",
    summary: "draft: send messages to groups",
    load: async () => (await import("./commands/radio.js")).radio,
  },
  {
    name: "dish",
    summary: "draft: print the messages of groups",
    load: async () => (await import("./commands/dish.js")).dish,
  },
  {
    name: "completion",
    summary: "print a script with which your shell completes zwire",
    load: async () => (await import("./commands/completion.js")).completion(COMMANDS),
  },
];
