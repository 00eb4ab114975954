/**
 * Where zwire/zeromq answers otherwise than zeromq.js, each with its reason: what zwire cannot do, and what is repaired
 * because no correct program can notice. docs/zeromq-js.md says the same to users.
 */
export interface Difference {
  /** Matches the whole path: the question's title, then keys and indices, joined by ` > `. */
  readonly path: RegExp;
  readonly why: string;
}

export const DIFFERENCES: readonly Difference[] = [
  { path: /^capability > tipc$/, why: "zwire has no tipc" },
  {
    path: /^(Router: each option|keys are read back|\w+: constructor fields).* > curve(Public|Secret|Server)Key\b.* > [12]( > |$)/,
    why: "zeromq.js cannot read a key that it has",
  },
  {
    path: /> (routingId|plainUsername|plainPassword|zapDomain) > "\\u0000a" > 2$/,
    why: "a text is not cut at a NUL",
  },
  { path: /> socksProxy > /, why: "a proxy that is no host:port is refused at once" },
  { path: /> interface > .*\\u0000a/, why: "a leading NUL is refused at once" },
  { path: /> affinity > NaN > /, why: "no number is 0 here, and 2^63 there" },
  { path: /> tcpAcceptFilter > "" > /, why: "an empty filter clears the list" },
  { path: /^Dish: properties .* > writable/, why: "a Dish never sends" },
  {
    path: /^(un)?bind(Sync)? with .* > "(tcp:\/\/127\.0\.0\.1:70000|tcp:\/\/\*:5555x|tcp:\/\/\[::1)" > /,
    why: "no address",
  },
  { path: /^connect with .* > "(tcp:\/\/127\.0\.0\.1:70000|tcp:\/\/\[::1)" > /, why: "no address" },
  {
    path: /^(unbind|disconnect) with .* > "udp:/,
    why: "nothing is bound or connected there, which says enough",
  },
  { path: /^unbindSync with /, why: "zeromq.js binds in its place" },
  { path: /^what calls return > unbindSync/, why: "zeromq.js binds in its place" },
  { path: /^a closed socket > context/, why: "zeromq.js forgets it" },
  {
    path: /^iteration and time-out, close and break > (2|0 > 1)$/,
    why: "an iteration can be left while it waits",
  },
  { path: /^receive twice > second/, why: "a second receive waits its turn" },
  { path: /^send twice > second/, why: "a second send waits its turn" },
  { path: /^send: kinds of parts > (dataView|shared) > /, why: "sent as the octets that they are" },
];
