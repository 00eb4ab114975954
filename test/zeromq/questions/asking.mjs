/** What the questions have in common: the list of them, and how an answer becomes plain data. */

/** The questions by their titles, in the order in which they were added. */
export const questions = {};

/** Adds a question: a function of `{ zmq, draft }` that answers with plain data. */
export function ask(title, question) {
  questions[title] = question;
}

/** What a call comes to: its value, or what it threw. */
export function outcome(call) {
  try {
    return plain(call());
  } catch (error) {
    return failure(error);
  }
}

/** As outcome, for a promise: says also whether the call threw at once. */
export async function eventual(call) {
  let promise;
  try {
    promise = call();
  } catch (error) {
    return { threw: failure(error) };
  }
  if (typeof promise?.then !== "function") return { returned: plain(promise) };
  try {
    return { resolved: plain(await promise) };
  } catch (error) {
    return { rejected: failure(error) };
  }
}

function failure(error) {
  const { message, code, errno, address } = error;
  return { error: error.constructor.name, message, code, errno, address };
}

function plain(value) {
  if (Buffer.isBuffer(value)) return `Buffer(${value.toString("latin1")})`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "function";
  if (value === undefined) return "undefined";
  if (typeof value === "object" && value !== null && value.constructor !== Object)
    return `[${value.constructor.name}]`;
  if (Object.is(value, -0)) return "-0";
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return value;
}
/** Waits until something is so. Who asks the question has a deadline. */
export async function becomes(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

export const CLASSES = [
  "Pair",
  "Publisher",
  "Subscriber",
  "Request",
  "Reply",
  "Dealer",
  "Router",
  "Pull",
  "Push",
  "XPublisher",
  "XSubscriber",
  "Stream",
];
export const DRAFTS = ["Server", "Client", "Radio", "Dish", "Gather", "Scatter", "Datagram"];

export function closing(socket, use) {
  try {
    return use(socket);
  } finally {
    socket.close();
  }
}

/** Every accessor on the way up from a socket, most derived first. */
export function accessors(object) {
  const found = new Map();
  for (let at = object; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (!("value" in descriptor) && !found.has(name)) {
        found.set(name, `${descriptor.get ? "r" : "-"}${descriptor.set ? "w" : "-"}`);
      }
    }
  }
  return found;
}
export const label = (value) =>
  typeof value === "bigint"
    ? `${value}n`
    : Buffer.isBuffer(value)
      ? `Buffer(${value.length})`
      : typeof value === "string"
        ? JSON.stringify(value.length > 40 ? `${value[0]}*${value.length}` : value)
        : Array.isArray(value)
          ? "[]"
          : typeof value === "object" && value !== null
            ? "{}"
            : String(value);

/** A value that each option takes, and one of another type. */
export const GOOD = {
  linger: 5,
  conflate: true,
  noDrop: true,
  invertMatching: true,
  manual: true,
  notify: false,
  mandatory: true,
  handover: true,
  probeRouter: true,
  correlate: true,
  relaxed: true,
  verbosity: "allSubs",
  welcomeMessage: "hi",
  routingId: "me",
  immediate: true,
  ipv6: true,
  tcpKeepalive: 1,
  maxMessageSize: 1000,
  affinity: 3,
  tcpAcceptFilter: "127.0.0.1",
  plainServer: true,
  curveServer: true,
  zapEnforceDomain: true,
  loopbackFastPath: true,
  plainUsername: "user",
  plainPassword: "word",
  curvePublicKey: "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
  curveSecretKey: "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs",
  curveServerKey: "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
  zapDomain: "global",
  socksProxy: "127.0.0.1:1080",
  interface: "lo",
  vmciBufferSize: 1,
  heartbeatTimeToLive: 2000,
};
