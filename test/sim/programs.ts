/** The programs of a simulation: what sockets of each pattern say to each other, and what of it has to arrive. */
import {
  Dealer,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  Subscriber,
  ZmqError,
} from "../../src/index.js";
import type { Dice } from "./dice.js";
import type { Scene } from "./scene.js";

/** Something that sends messages of its own number. */
interface Outlet {
  send(message: Buffer[], options?: { timeout?: number }): Promise<void>;
  trySend(message: Buffer[]): boolean;
}

function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof ZmqError && codes.includes(error.code);
}

/** Sends many messages, now one after the other, now many at once, now with a time-out. */
async function sendAll(
  scene: Scene,
  outlet: Outlet,
  number: number,
  count: number,
  dice: Dice,
): Promise<void> {
  const { ledger } = scene;
  const impatient = !scene.calm && dice.chance(0.2);
  const flood = dice.chance(scene.tiny ? 0.8 : 0.3);
  const pending: Promise<void>[] = [];
  for (let n = 1; n <= count; n++) {
    const message = ledger.message(number, n);
    ledger.sending(number, n);
    if (dice.chance(0.2)) {
      if (outlet.trySend(message)) ledger.accepted(number, n);
      else ledger.rejected(number, n);
    } else {
      const sent = outlet.send(message, impatient ? { timeout: dice.int(0, 50) } : undefined).then(
        () => ledger.accepted(number, n),
        (error) => {
          if (!isCode(error, "EAGAIN")) throw error;
          ledger.rejected(number, n);
        },
      );
      if (flood) pending.push(sent);
      else await sent;
    }
    if (!scene.tiny || !flood) await scene.dawdle(dice, 20);
  }
  await Promise.all(pending);
}

/** Calls `got` for each message until the socket closes, by one of the ways to receive. */
async function receiveAll(
  scene: Scene,
  socket: Pull | Dealer | Router | Subscriber | Reply,
  got: (parts: Buffer[], peer: number) => Promise<unknown> | undefined,
  listen = true,
): Promise<void> {
  const dice = scene.dice.fork();
  const way = dice.int(listen ? 0 : 1, 3);
  const give = (parts: Buffer[]): Promise<unknown> | undefined => {
    const peer = socket.peerOf(parts);
    if (peer === undefined) throw new Error("nobody has sent a message that was received");
    return got(parts, peer.id);
  };
  if (way === 0) {
    socket.on("message", (parts: Buffer[]) => void give(parts)?.catch(scene.fail));
    return;
  }
  try {
    if (way === 1) {
      for await (const parts of socket) {
        await give(parts);
        await scene.dawdle(dice, 30);
      }
      return;
    }
    for (;;) {
      const all = way === 2 ? [await socket.receive()] : await socket.receiveMany(dice.int(1, 20));
      for (const parts of all) await give(parts);
      await scene.dawdle(dice, 30);
    }
  } catch (error) {
    if (!isCode(error, "EBADF")) scene.fail(error);
  }
}

/** Runs the senders beside the troubles; then the network is good, and all that can arrive does. */
async function busy(
  scene: Scene,
  senders: Promise<void>[],
  binders: Parameters<Scene["trouble"]>[0],
): Promise<void> {
  const sent = Promise.all(senders);
  void sent.catch(() => {}); // until it is awaited
  await Promise.all([scene.trouble(binders), Promise.race([sent, scene.world.sleep(2000)])]);
  scene.heal();
  await sent;
  await scene.quiet();
}

async function pushPull(scene: Scene): Promise<void> {
  const { dice, ledger } = scene;
  const pushBinds = dice.chance(0.4);
  const pushers = Array.from({ length: dice.int(1, 5) }, (_, i) => {
    const options = scene.options("out");
    const push = scene.watch(new Push(options), `push ${i}`, options);
    ledger.add(i, { losesQueues: pushBinds || options.immediate, dropped: () => push.stats.dropped });
    return push;
  });
  const receiving: Promise<void>[] = [];
  const pullers = Array.from({ length: dice.int(1, 5) }, (_, i) => {
    const options = scene.options("in");
    const pull = scene.watch(new Pull(options), `pull ${i}`, options);
    receiving.push(
      receiveAll(scene, pull, (parts, peer) => {
        ledger.arrived(i, peer, parts);
        return undefined;
      }),
    );
    return pull;
  });
  const binders = pushBinds ? pushers : pullers;
  await scene.join(binders, pushBinds ? pullers : pushers, dice.chance(0.6));
  const count = Math.ceil((scene.tiny ? 600 : 100) / pushers.length);
  const senders = pushers.map((push, i) => sendAll(scene, push, i, count, dice.fork()));
  await busy(scene, senders, binders);
  ledger.settle(scene.network);
  await scene.closeAll();
  await Promise.all(receiving);
}

/** Senders of answers have numbers from here on. */
const ANSWERS = 100;

async function dealerRouter(scene: Scene): Promise<void> {
  const { dice, ledger } = scene;
  const named = dice.chance(0.5);
  const receiving: Promise<void>[] = [];
  const routers = Array.from({ length: dice.int(1, 3) }, (_, i) => {
    const options = scene.options("both");
    const router = scene.watch(new Router(options), `router ${i}`, options);
    ledger.add(ANSWERS + i, { losesQueues: true, dropped: () => router.stats.dropped });
    let answers = 0;
    const answer = ([name, ...parts]: Buffer[], peer: number): Promise<void> => {
      ledger.arrived(ANSWERS + i, peer, parts);
      const n = ++answers;
      ledger.sending(ANSWERS + i, n);
      return router
        .send([name, ...ledger.message(ANSWERS + i, n)])
        .then(() => ledger.accepted(ANSWERS + i, n));
    };
    receiving.push(receiveAll(scene, router, answer));
    return router;
  });
  const dealers = Array.from({ length: dice.int(1, 6) }, (_, i) => {
    const options = { ...scene.options("both"), ...(named ? { routingId: `dealer ${i}` } : {}) };
    const dealer = scene.watch(new Dealer(options), `dealer ${i}`, options);
    ledger.add(i, { losesQueues: options.immediate, dropped: () => dealer.stats.dropped });
    receiving.push(
      receiveAll(scene, dealer, (parts, peer) => {
        ledger.arrived(i, peer, parts);
        return undefined;
      }),
    );
    return dealer;
  });
  await scene.join(routers, dealers, dice.chance(0.5));
  const count = Math.ceil((scene.tiny ? 600 : 60) / dealers.length);
  const senders = dealers.map((dealer, i) => sendAll(scene, dealer, i, count, dice.fork()));
  await busy(scene, senders, routers);
  ledger.settle(scene.network);
  await scene.closeAll();
  await Promise.all(receiving);
}

const TOPICS = ["A", "B", "BB", "C", ""];

async function pubSub(scene: Scene): Promise<void> {
  const { dice, ledger } = scene;
  const pubBinds = dice.chance(0.6);
  const receiving: Promise<void>[] = [];
  const got = new Map<number, Set<string>>();
  const publishers = Array.from({ length: dice.int(1, 3) }, (_, i) => {
    const options = scene.options("out");
    return scene.watch(new Publisher(options), `pub ${i}`, options);
  });
  const wanted: string[][] = [];
  const subscribers = Array.from({ length: dice.int(1, 6) }, (_, i) => {
    const options = scene.options("in");
    const subscriber = scene.watch(new Subscriber(options), `sub ${i}`, options);
    const topics = TOPICS.filter(() => dice.chance(0.4));
    wanted.push(topics);
    for (const topic of topics) subscriber.subscribe(topic);
    got.set(i, new Set());
    receiving.push(
      receiveAll(scene, subscriber, (parts, peer) => {
        const head = parts[0].toString("latin1");
        if (!topics.some((topic) => head.startsWith(topic)))
          throw new Error(`subscriber ${i} got ${head}, which it did not ask for`);
        const { sender, n } = ledger.arrived(i, peer, parts, true);
        got.get(i)?.add(`${sender}:${n}`);
        return undefined;
      }),
    );
    return subscriber;
  });
  const binders = pubBinds ? publishers : subscribers;
  const all = dice.chance(0.6);
  await scene.join(binders, pubBinds ? subscribers : publishers, all);
  await scene.world.sleep(scene.calm ? 3000 : 50);
  const topicOf: string[][] = publishers.map(() => []);
  const publish = async (publisher: Publisher, i: number, own: Dice): Promise<void> => {
    for (let n = 1; n <= 80 / publishers.length; n++) {
      ledger.sending(i, n);
      topicOf[i][n] = own.pick(["A", "B", "BB", "C", "D"]);
      await publisher.send(ledger.message(i, n, topicOf[i][n]));
      ledger.accepted(i, n);
      await scene.dawdle(own, 20);
    }
  };
  const senders = publishers.map((publisher, i) => publish(publisher, i, dice.fork()));
  await busy(scene, senders, binders);
  if (scene.calm && all) {
    // Nothing was in the way: a copy is missing only where it was dropped, and counted.
    for (const [i, publisher] of publishers.entries()) {
      let missing = 0;
      for (const [j, topics] of wanted.entries()) {
        for (const n of ledger.acceptedOf(i)) {
          if (
            topics.some((topic) => topicOf[i][n].startsWith(topic)) &&
            got.get(j)?.has(`${i}:${n}`) !== true
          )
            missing++;
        }
      }
      const { dropped } = publisher.stats;
      if (missing !== dropped)
        throw new Error(`${missing} copies of publisher ${i} are missing, and ${dropped} told as dropped`);
    }
  }
  await scene.closeAll();
  await Promise.all(receiving);
}

async function requestReply(scene: Scene): Promise<void> {
  const { dice, ledger } = scene;
  const receiving: Promise<void>[] = [];
  const replies = Array.from({ length: dice.int(1, 3) }, (_, i) => {
    const options = scene.options("both");
    const reply = scene.watch(new Reply(options), `rep ${i}`, options);
    receiving.push(
      receiveAll(
        scene,
        reply,
        async (parts, peer) => {
          ledger.arrived(ANSWERS + i, peer, parts);
          await reply.send(parts);
        },
        false,
      ),
    );
    return reply;
  });
  const requests = Array.from({ length: dice.int(1, 5) }, (_, i) => {
    const options = { ...scene.options("both"), correlate: dice.chance(0.3) };
    return { request: scene.watch(new Request(options), `req ${i}`, options), i };
  });
  await scene.join(
    replies,
    requests.map(({ request }) => request),
    dice.chance(0.5),
  );
  const ask = async (request: Request, i: number, own: Dice): Promise<void> => {
    const count = Math.ceil(40 / requests.length);
    for (let n = 1; n <= count; n++) {
      const question = ledger.message(i, n);
      ledger.sending(i, n);
      try {
        const answer = await request.request(
          question,
          scene.calm ? undefined : { timeout: own.int(50, 1000) },
        );
        if (!Buffer.concat(answer).equals(Buffer.concat(question))) {
          throw new Error(`request ${i}:${n} got the answer of another: ${answer[0].toString("latin1")}`);
        }
      } catch (error) {
        if (!isCode(error, "EAGAIN")) throw error;
      }
      await scene.dawdle(own, 20);
    }
  };
  const asking = requests.map(({ request, i }) => ask(request, i, dice.fork()));
  await busy(scene, asking, replies);
  // All that is wrong has ended: whoever asks now gets an answer.
  for (const { request, i } of requests) {
    ledger.sending(i, 1000);
    const answer = await request.request(ledger.message(i, 1000));
    if (answer[0].toString("latin1") !== `#${i}:1000#`)
      throw new Error(`request ${i} got ${answer[0]} in the end`);
  }
  await scene.closeAll();
  await Promise.all(receiving);
}

export const PROGRAMS = { pushPull, dealerRouter, pubSub, requestReply };
