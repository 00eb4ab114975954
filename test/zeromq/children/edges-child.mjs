/**
 * Corners of the surface that a program's own tests may look at, one line of output for each; nothing in them depends on
 * the library but by its answers. Argument: library.
 */
import { createRequire } from "node:module";
import { load } from "./libraries.mjs";

const [library] = process.argv.slice(2);
const { zmq, draft } = await load(library);
const require = createRequire(import.meta.url);
const { Context, Dealer, Observer, Proxy, Pull, Push, Socket, Subscriber } = zmq;

const warnings = [];
process.on("warning", ({ message }) => warnings.push(message));
/** Warnings come, and waits begin, before the next turn of the event loop. */
const turn = () => new Promise(setImmediate);

/** What a call comes to. */
function answer(call) {
  try {
    const value = call();
    return typeof value === "object" && value !== null ? value.constructor.name : String(value);
  } catch (error) {
    return `${error.constructor.name} ${error.code} ${error.message}`;
  }
}

async function awaited(promise) {
  try {
    const { done, value } = (await promise) ?? {};
    return `done ${done} ${value}`;
  } catch (error) {
    return `${error.constructor.name} ${error.code} ${error.message}`;
  }
}

function say(title, ...answers) {
  console.log([title, ...answers].join(" | "));
}

const name = library === "zeromq" ? "zeromq" : "../../../dist/zeromq.js";
const draftName = library === "zeromq" ? "zeromq/draft.js" : "../../../dist/zeromq-draft.js";
say("require()", Object.keys(require(name)).sort());
say("require() of the drafts", Object.keys(require(draftName)).sort());

class Own extends Socket {}
say(
  "a constructor with too much",
  answer(() => new Own(5, {}, 1)),
  answer(() => new Context({}, 1)),
);
const [one, other] = [new Dealer(), new Dealer()];
say(
  "an Observer of",
  answer(() => new Observer()),
  answer(() => new Observer({})),
  answer(() => new Observer(one, 1)),
);
say(
  "a Proxy of",
  answer(() => new Proxy()),
  answer(() => new Proxy(one)),
  answer(() => new Proxy(one, other, 1)),
);
for (const name of ["Context", "Socket", "Observer", "Proxy", "Push"]) {
  const type = zmq[name];
  const without = [() => type(), () => type.call({}), () => type.apply(Object.create(type.prototype), [5])];
  say(`${name} without new`, ...without.map(answer), type.name, type.prototype.constructor === type);
}
for (const value of [
  new Pull(),
  new Pull().events,
  new Proxy(one, other),
  {},
  1,
  null,
  Object.create(Context.prototype),
])
  say(
    "as a context",
    answer(() => new Push({ context: value })),
  );
// That of an Observer, which ends the process of zeromq.js, is asked in repairs.test.ts.
for (const value of [new Context(), one.events, {}])
  say(
    "as an end of a Proxy",
    answer(() => new Proxy(value, other)),
    answer(() => new Proxy(other, value)),
    answer(() => new Proxy(value, value).run()),
    answer(() => new Proxy(value, value).frontEnd === value),
  );
one.close();
say(
  "an Observer of a closed one",
  answer(() => new Observer(one)),
);

for (const value of [null, undefined, "", 1, true, {}]) {
  for (const option of ["routingId", "plainUsername", "zapDomain", "interface", "tcpAcceptFilter"]) {
    if (value === "" && option === "tcpAcceptFilter") continue; // clears the list here
    const socket = new Dealer();
    say(
      `${option} = ${value}`,
      answer(() => void (socket[option] = value)),
      answer(() => socket[option]),
    );
    say(
      `constructed`,
      answer(() => void new Dealer({ [option]: value }).close()),
    );
    socket.close();
  }
}

const dish = new draft.Dish();
for (const group of [
  "a",
  Buffer.from("b\0c"),
  "b",
  "d\0e",
  "d",
  "x".repeat(16),
  Buffer.alloc(15, "y"),
  null,
  1,
]) {
  say(
    `join ${group}`,
    answer(() => dish.join(group)),
  );
}
for (const group of [Buffer.from("b\0zzz"), "d\0qq", "nobody"])
  say(
    `leave ${group}`,
    answer(() => dish.leave(group)),
  );
dish.close();

// Options while, and after, a bind runs.
const binding = other.bind("inproc://edges");
other.backlog = 10;
other.linger = 0;
await turn();
say("set while a bind runs", warnings.splice(0));
await binding;
other.backlog = 11;
await turn();
say("set when bound", warnings.splice(0));
const unbinding = other.unbind("inproc://edges");
other.backlog = 12;
await unbinding;
await turn();
say("set while an unbind runs", warnings.splice(0));

for (const value of [2 ** 53 - 1, 2 ** 56 + 2 ** 10, 2 ** 64, -1]) {
  say(
    `affinity ${value}`,
    answer(() => void other.setUint64Option(4, value)),
    other.getUint64Option(4),
  );
  await turn();
  say("warns", warnings.splice(0));
}
other.close();

// Waits that a close ends.
for (const [type, operation] of [
  ["Request", "receive"],
  ["Request", "iterate"],
  ["Reply", "send"],
  ["Reply", "iterate"],
  ["Dealer", "receive"],
  ["Dealer", "iterate"],
]) {
  const socket = new zmq[type]();
  const waiting =
    operation === "iterate"
      ? socket[Symbol.asyncIterator]().next()
      : socket[operation](...(operation === "send" ? ["x"] : []));
  await turn();
  socket.close();
  say(`${operation} of a ${type} that is closed`, await awaited(waiting));
}

// Where a bind fails.
for (const make of [(port) => `tcp://127.0.0.1:${port}`, () => "ipc:///nowhere/at/all"]) {
  const [holder, second] = [new Pull(), new Push()];
  await holder.bind("tcp://127.0.0.1:*");
  const endpoint = make(holder.lastEndpoint.split(":").pop());
  const failed = new Promise((resolve) => second.events.on("bind:error", resolve));
  const error = await second.bind(endpoint).catch((caught) => caught);
  const event = await failed;
  say(
    "bind:error",
    error.code,
    error.address === endpoint,
    `${endpoint.split("://")[0]}://${event.address}` === endpoint,
  );
  holder.close();
  second.close();
}
new Subscriber().close();
process.exit();
