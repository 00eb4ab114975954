/**
 * Every class of zwire/web in a page, with each type that it talks to: in Node, over the server that serves the page and over
 * a port of zwire's own, and in libzmq, which of what a page can offer knows plain ZWS 2.0 only.
 */
import type { Page } from "playwright-core";
import { describe, expect, it, onTestFinished } from "vitest";
import * as zmq from "zeromq";
import * as node from "../../src/index.js";
import { type AnySocket, exchange, type Library, type Role } from "../support/browser/exchange.js";
import { inBrowser } from "../support/browser/page.js";
import { freePort } from "../support/helpers.js";

const COUNT = 200;
/** Of each tenth body. */
const LARGE = 70_000;
/**
 * The same for libzmq, so that all messages of a test together fit into Chromium's buffer of 64 KiB: what does not fit Chromium
 * sends in fragments, and libzmq 4.3.5 closes the connection when it gets one.
 */
const LARGE_FOR_LIBZMQ = 2_000;

interface Cell {
  readonly page: string;
  readonly peer: string;
  /** The page's. */
  readonly role: Role;
  readonly envelope?: boolean;
}

const OTHER = { sends: "receives", receives: "sends", asks: "answers", answers: "asks" } as const;

const CELLS: readonly Cell[] = [
  { page: "Push", peer: "Pull", role: "sends" },
  { page: "Pull", peer: "Push", role: "receives" },
  { page: "Publisher", peer: "Subscriber", role: "sends" },
  { page: "Publisher", peer: "XSubscriber", role: "sends" },
  { page: "XPublisher", peer: "Subscriber", role: "sends" },
  { page: "XPublisher", peer: "XSubscriber", role: "sends" },
  { page: "Subscriber", peer: "Publisher", role: "receives" },
  { page: "Subscriber", peer: "XPublisher", role: "receives" },
  { page: "XSubscriber", peer: "Publisher", role: "receives" },
  { page: "XSubscriber", peer: "XPublisher", role: "receives" },
  { page: "Request", peer: "Reply", role: "asks" },
  { page: "Request", peer: "Router", role: "asks" },
  { page: "Reply", peer: "Request", role: "answers" },
  { page: "Reply", peer: "Dealer", role: "answers", envelope: true },
  { page: "Dealer", peer: "Reply", role: "asks", envelope: true },
  { page: "Dealer", peer: "Dealer", role: "asks" },
  { page: "Dealer", peer: "Router", role: "asks" },
  { page: "Router", peer: "Dealer", role: "answers" },
  { page: "Router", peer: "Request", role: "answers" },
  { page: "Pair", peer: "Pair", role: "asks" },
  { page: "Pair", peer: "Pair", role: "answers" },
];

const VERBS = { sends: "sends to", receives: "receives from", asks: "asks", answers: "answers" } as const;

/** A publisher that does not know its subscribers sends until the page has got something. */
async function untilSubscribed(socket: AnySocket, page: Page): Promise<void> {
  await page.evaluate(() => Reflect.deleteProperty(globalThis, "synchronised"));
  const arrived = () => page.evaluate(() => "synchronised" in globalThis);
  while (!(await arrived())) await socket.send(["nsync", ""]);
}

/**
 * zeromq.js rejects with EAGAIN at once where libzmq called a socket readable or writable that is not: asked again then.
 */
function patient(socket: AnySocket): AnySocket {
  const again = async <T>(call: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if ((error as { code?: string }).code !== "EAGAIN") throw error;
        await new Promise((resolve) => setTimeout(resolve, 1)); // by the clock: nothing tells when it can be asked again
      }
    }
  };
  return {
    ...socket,
    subscribe: (topic) => socket.subscribe(topic),
    send: (message) => again(() => socket.send(message)),
    receive: () => again(() => socket.receive()),
  };
}

inBrowser("a page's sockets", (tests) => {
  const kinds = [
    { name: "zwire, on the server of the page", library: node, own: false },
    { name: "zwire, on a port of its own", library: node, own: true },
    // Has nothing to do with our engine.
    ...(process.env.ZWIRE_ENGINE === "portable" ? [] : [{ name: "libzmq", library: zmq, own: true }]),
  ];
  describe.each(kinds)("with $name", ({ library, own }) => {
    for (const { page: type, peer: peerType, role, envelope = false } of CELLS) {
      it(`${type} ${VERBS[role]} ${peerType}, ${COUNT} messages, whole and in order`, async () => {
        const peer = new (library as unknown as Library)[peerType]({ linger: 0 });
        onTestFinished(() => {
          peer.close();
        });
        if (own) await peer.bind(`ws${(await freePort()).slice(3)}/x`);
        else await (peer as unknown as node.Push).bind({ server: tests.pages.server, path: "/x" });
        const endpoint = peer.lastEndpoint ?? "";
        const page = tests.shared;
        const rest = { count: COUNT, large: library === zmq ? LARGE_FOR_LIBZMQ : LARGE, envelope };
        const there = page.evaluate(exchange, {
          ...rest,
          role,
          type,
          endpoint,
        });
        if (library === zmq && peerType === "Publisher") await untilSubscribed(peer, page);
        const here = exchange({
          ...rest,
          role: OTHER[role],
          type: peerType,
          socket: library === zmq ? patient(peer) : peer,
        });
        expect(await Promise.all([there, here])).toEqual([COUNT, COUNT]);
      }, 20_000);
    }
  });
});
