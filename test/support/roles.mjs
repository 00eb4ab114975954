/**
 * What a socket does in a cell of the interop matrices. zwire's sockets and those of zeromq.js have the same send() and
 * receive(), so both ends play these roles; peers/pyzmq-peer.py has those that it needs in Python. Knows no socket
 * library.
 *
 * A job has { count, seed, expected, big, single, envelope, learn, numbered, group, waits, sync }: `count` messages of
 * `seed` go out and, where the role goes both ways, as many of `expected` come in. The rest says how the type carries
 * parts (Carrier), and who begins.
 */
import { isSync, MessageCheck, MessageSource, OctetCheck, octetChunks, SYNC } from "./messages.mjs";

/**
 * Messages on the way in an exchange. Each side sends at most this many more than it has received, so at most twice
 * as many wait for one side. ROUTER drops what its peer's pipe cannot take, a STREAM or SERVER of zeromq.js fails
 * with EAGAIN, and libzmq counts a message as taken only when 500 have been (half the mark of 1000, G8): so twice
 * this stays below 500.
 */
const WINDOW = 200;
const SUBSCRIBE_ALL = Buffer.of(1);

/** How a socket type carries a message's parts. */
class Carrier {
  #envelope;
  #learn;
  #numbered;
  #group;
  #number = { routingId: 0 };

  constructor(job) {
    this.#envelope = (job.envelope ?? []).map((text) => Buffer.from(text, "latin1"));
    this.#learn = job.learn ?? 0;
    this.#numbered = job.numbered ?? false;
    this.#group = job.group;
  }

  /** Arguments of send(). */
  pack(parts) {
    if (this.#numbered) return [parts[0], this.#number];
    if (this.#group !== undefined) return [parts[0], { group: this.#group }];
    return [this.#envelope.length === 0 ? parts : [...this.#envelope, ...parts]];
  }

  /** The parts of what receive() gave; throws when it is not carried as it must be. */
  unpack(message) {
    if (this.#numbered) {
      this.#number = message[1];
      return [message[0]];
    }
    if (this.#group !== undefined) {
      if (String(message[1].group) !== this.#group) throw new Error(`group ${message[1].group}`);
      return [message[0]];
    }
    const frames = this.#learn > 0 ? this.#learn : this.#envelope.length;
    const envelope = message.slice(0, frames);
    if (this.#learn > 0) this.#envelope = envelope;
    else if (this.#envelope.some((frame, i) => !frame.equals(envelope[i]))) {
      throw new Error(`envelope ${envelope.map((frame) => frame.toString("latin1"))}`);
    }
    return message.slice(frames);
  }
}

function source(job) {
  return new MessageSource(job.seed, job.count, { big: job.big, single: job.single });
}

function check(job, seed) {
  return new MessageCheck(seed, job.count, { big: job.big, single: job.single });
}

const NOTHING = { received: 0, mismatch: null };

/** With `sync`, repeats SYNC until `signals.gone()`: a publisher cannot tell when it has a subscriber. */
async function send(socket, job, signals) {
  const carrier = new Carrier(job);
  while (job.sync && !signals.gone()) {
    await socket.send(...carrier.pack([SYNC]));
    // By the clock: it is heard some time, at a peer of any library, which answers only then.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const messages = source(job);
  for (let i = 0; i < job.count; i++) await socket.send(...carrier.pack(messages.next()));
  return NOTHING;
}

/** Tells `signals.heard()` of the first SYNC, and ignores SYNC until the first message. */
async function receive(socket, job, signals) {
  const carrier = new Carrier(job);
  const messages = check(job, job.expected ?? job.seed);
  let heard = false;
  while (!messages.complete) {
    const parts = carrier.unpack(await socket.receive());
    if (messages.received > 0 || !isSync(parts)) messages.take(parts);
    else if (!heard) {
      heard = true;
      signals.heard();
    }
  }
  return messages;
}

async function request(socket, job) {
  const carrier = new Carrier(job);
  const requests = source(job);
  const replies = check(job, job.seed + 1);
  while (!replies.complete) {
    await socket.send(...carrier.pack(requests.next()));
    replies.take(carrier.unpack(await socket.receive()));
  }
  return replies;
}

async function reply(socket, job) {
  const carrier = new Carrier(job);
  const requests = check(job, job.seed);
  const replies = new MessageSource(job.seed + 1, job.count, { big: job.big, single: job.single });
  while (!requests.complete) {
    requests.take(carrier.unpack(await socket.receive()));
    await socket.send(...carrier.pack(replies.next()));
  }
  return requests;
}

/** Lets one loop wait for what another one does. */
class Progress {
  #wake = () => {};

  made() {
    this.#wake();
  }

  async until(holds) {
    while (!holds()) {
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** Sends and receives at the same time. With `waits`, receives first: a ROUTER has nobody to send to before. */
async function exchange(socket, job) {
  const carrier = new Carrier(job);
  const messages = source(job);
  const answers = check(job, job.expected);
  const progress = new Progress();
  const sending = async () => {
    if (job.waits) await progress.until(() => answers.received > 0);
    for (let i = 0; i < job.count; i++) {
      await progress.until(() => i - answers.received < WINDOW);
      await socket.send(...carrier.pack(messages.next()));
    }
  };
  const receiving = async () => {
    while (!answers.complete) {
      answers.take(carrier.unpack(await socket.receive()));
      progress.made();
    }
  };
  await Promise.all([sending(), receiving()]);
  return answers;
}

/** XPUB: sends when somebody has subscribed to everything. */
async function publish(socket, job, signals) {
  const [subscription] = await socket.receive();
  if (!SUBSCRIBE_ALL.equals(subscription)) throw new Error(`subscription ${subscription.toString("hex")}`);
  return send(socket, job, signals);
}

/** XSUB: subscribes by a message. */
async function subscribe(socket, job, signals) {
  await socket.send(SUBSCRIBE_ALL);
  return receive(socket, job, signals);
}

/** STREAM: bytes both ways, after the notice that the connection is there. */
async function stream(socket, job) {
  const [id, notice] = await socket.receive();
  if (notice.length > 0) throw new Error("no notice of the connection");
  const octets = new OctetCheck(job.expected, job.count);
  const progress = new Progress();
  const sending = async () => {
    let sent = 0;
    for (const chunk of octetChunks(job.seed, job.count)) {
      await progress.until(() => sent - octets.chunks < WINDOW || octets.complete);
      await socket.send([id, chunk]);
      sent++;
    }
  };
  const receiving = async () => {
    while (!octets.complete && octets.mismatch === null) {
      const [from, chunk] = await socket.receive();
      if (!id.equals(from)) throw new Error("another connection");
      octets.take(chunk);
      progress.made();
    }
  };
  await Promise.all([sending(), receiving()]);
  return { received: octets.complete ? job.count : 0, mismatch: octets.mismatch };
}

/** Every role: (socket, job, signals) → { received, mismatch }. */
export const ROLES = { send, receive, request, reply, exchange, publish, subscribe, stream };
