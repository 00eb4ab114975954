/**
 * Section L, and N7: PAIR and CHANNEL, one peer at a time. What CHANNEL has of its own is in draft.test.ts.
 */
import { describe, expect, it } from "vitest";
import { Channel } from "../../src/draft.js";
import { Pair } from "../../src/index.js";
import {
  freePort,
  managed,
  rawConnected,
  rawListen,
  record,
  settled,
  TRANSPORTS,
  texts,
  turns,
  until,
  within,
} from "../support/helpers.js";
import { message } from "../support/raw-peer.js";

const next = async (socket: Pair | Channel) => texts(await socket.receive({ timeout: 20_000 }));

const TYPES = [
  { type: "PAIR", rule: "L", make: (options = {}) => new Pair(options) },
  { type: "CHANNEL", rule: "N7 L", make: (options = {}) => new Channel(options) },
] as const;

for (const { type, rule, make } of TYPES) {
  describe.each(TRANSPORTS)(`${type} over $name`, ({ name, endpoint, absent }) => {
    it(`${rule}1 messages go both ways, whoever bound`, async () => {
      for (const bindsFirst of [true, false]) {
        const [one, two] = [managed(make()), managed(make())];
        if (bindsFirst) two.connect(await one.bind(endpoint()));
        else one.connect(await two.bind(endpoint()));
        for (let i = 0; i < 10; i++) {
          await one.send(`${i}`);
          await two.send(`-${i}`);
        }
        for (let i = 0; i < 10; i++)
          expect([await next(two), await next(one)]).toEqual([[`${i}`], [`-${i}`]]);
      }
    });

    it(`${rule}1 a second peer is not served: it is closed, and the first goes on`, async () => {
      const served = managed(make());
      const events = record(served);
      const actual = await served.bind(endpoint());
      const [first, second] = [managed(make()), managed(make({ reconnectInterval: 20 }))];
      first.connect(actual);
      await served.connected({ timeout: 20_000 });
      await first.send("1");
      expect(await next(served)).toEqual(["1"]);
      const turnedAway = record(second);
      second.connect(actual);
      await second.send("noise", { timeout: 100 }).catch(() => {});
      await turnedAway.next("disconnect");
      await events.next("disconnect");
      for (let i = 0; i < 20; i++) {
        await served.send(`to first ${i}`);
        await first.send(`from first ${i}`);
        expect([await next(first), await next(served)]).toEqual([[`to first ${i}`], [`from first ${i}`]]);
      }
      expect(second.tryReceive()).toBeUndefined();
      expect(events.of("disconnect").every((event) => event.peer?.socketType === type)).toBe(true);
    });

    it(`${rule}2 without a peer a send waits, or fails with EAGAIN`, async () => {
      const socket = managed(make());
      const actual = await socket.bind(endpoint());
      expect(socket.trySend("x")).toBe(false);
      await expect(socket.send("x", { timeout: 0 })).rejects.toMatchObject({ code: "EAGAIN" });
      const waiting = socket.send("kept");
      expect(await settled(waiting)).toBe(false);
      const peer = managed(make());
      peer.connect(actual);
      await within(waiting, "the send goes on");
      expect(await next(peer)).toEqual(["kept"]);
    });

    it(`${rule}2 with a full peer a send waits; nothing is dropped`, async () => {
      const one = managed(make({ sendHighWaterMark: 3 }));
      const two = managed(make({ receiveHighWaterMark: 3 }));
      two.connect(await one.bind(endpoint()));
      await one.connected({ timeout: 20_000 });
      const sends: Promise<void>[] = [];
      for (let i = 0; i < 40; i++) sends.push(one.send(Buffer.alloc(400_000, i)));
      await turns(50);
      expect(one.stats.sendQueue).toBeGreaterThan(0);
      for (let i = 0; i < 40; i++) expect((await two.receive({ timeout: 20_000 }))[0][0]).toBe(i);
      await Promise.all(sends);
    });

    it(`${rule}3 when the first peer leaves another is served, and what waited is for it`, async () => {
      const served = managed(make());
      const actual = await served.bind(endpoint());
      const first = managed(make());
      first.connect(actual);
      await served.connected({ timeout: 20_000 });
      await first.send("unread");
      await until(() => served.stats.receiveQueue === 1, "it is here");
      await first.close();
      await until(() => served.stats.peers === 0, "the first is gone");
      const waiting = served.send("for the next");
      expect(await settled(waiting)).toBe(false);
      const second = managed(make());
      second.connect(actual);
      expect(await next(second)).toEqual(["for the next"]);
      await second.send("new");
      expect([await next(served), await next(served)]).toEqual([["unread"], ["new"]]);
    });

    it(`${rule}3 a peer that was turned away ${name === "inproc" ? "may connect anew" : "dials again until it is served"}; a third is turned away then`, async () => {
      const served = managed(make());
      const actual = await served.bind(endpoint());
      const [first, second, third] = [0, 1, 2].map(() => managed(make({ reconnectInterval: 20 })));
      first.connect(actual);
      await served.connected({ timeout: 20_000 });
      const events = record(second);
      second.connect(actual);
      await events.next("disconnect");
      await first.close();
      if (name === "inproc") {
        second.disconnect(actual); // R22: there is no reconnection
        second.connect(actual);
      }
      await second.send("at last", { timeout: 20_000 });
      let got = await served.receive({ timeout: 500 }).catch(() => null);
      // What goes out on a connection that is turned away is lost with it: say it until it is heard.
      while (got === null) {
        await second.send("at last", { timeout: 20_000 });
        got = await served.receive({ timeout: 500 }).catch(() => null);
      }
      expect(texts(got)).toEqual(["at last"]);
      const thirdEvents = record(third);
      third.connect(actual);
      await thirdEvents.next("disconnect");
      await served.send("still yours");
      expect(await next(second)).toEqual(["still yours"]);
    });

    it.each(["disconnected", "closed"])(
      `${rule}2 S13 what is queued goes to a peer that appears after the socket was %s`,
      async (how) => {
        const actual = await absent();
        const dialling = managed(make({ reconnectInterval: 10, linger: 30_000 }));
        dialling.connect(actual);
        const body = Buffer.alloc(1_000_000);
        for (let i = 0; i < 20; i++) await dialling.send(body);
        if (how === "closed") void dialling.close();
        else dialling.disconnect(actual);
        const bound = managed(make());
        await bound.bind(actual);
        for (let i = 0; i < 20; i++)
          expect((await bound.receive({ timeout: 20_000 }))[0].length).toBe(1_000_000);
      },
    );

    it(`${rule}2 messages for a peer that is not there yet are queued by the one that dials`, async () => {
      const actual = await absent();
      const dialling = managed(make({ reconnectInterval: 10 }));
      dialling.connect(actual);
      for (let i = 0; i < 5; i++) await dialling.send(`${i}`, { timeout: 1000 });
      const bound = managed(make());
      await bound.bind(actual);
      for (let i = 0; i < 5; i++) expect(await next(bound)).toEqual([`${i}`]);
    });
  });

  describe(`${type}, of connections`, () => {
    it(`${rule}1 a peer that dials while we wait for one that we dial is turned away`, async () => {
      const socket = managed(make({ reconnectInterval: 20 }));
      const absentPeer = await freePort();
      socket.connect(absentPeer);
      const events = record(socket);
      const peer = await rawConnected(await socket.bind("tcp://127.0.0.1:*"), { type });
      await peer.closed();
      expect((await events.next("handshake:error:other")).error).toMatchObject({ code: "peer-taken" });
      const listener = await rawListen(absentPeer);
      const awaited = await listener.accept();
      await awaited.handshake({ type });
      await socket.send("x");
      expect(texts(await awaited.readMessage())).toEqual(["x"]);
    });

    it(`${rule}3 of two endpoints that we dial the second has the place when the first is let go`, async () => {
      const [one, two] = [await rawListen(), await rawListen()];
      const socket = managed(make({ reconnectInterval: 20 }));
      socket.connect(one.endpoint);
      const first = await one.accept();
      await first.handshake({ type });
      await socket.connected({ timeout: 20_000 });
      socket.connect(two.endpoint);
      const away = await two.accept();
      await away.handshake({ type });
      away.write(message("not served"));
      await away.closed();
      await socket.send("1");
      expect(texts(await first.readMessage())).toEqual(["1"]);
      socket.disconnect(one.endpoint);
      await first.closed();
      // A redial that was under way may be turned away still.
      for (;;) {
        const second = await two.accept();
        await second.handshake({ type });
        const served = await second.barrier().then(
          () => true,
          () => false,
        );
        if (!served) continue;
        await socket.send("2");
        expect(texts(await second.readMessage())).toEqual(["2"]);
        second.write(message("back"));
        expect(await next(socket)).toEqual(["back"]);
        break;
      }
    });

    it(`${rule}4 when the link breaks the side that dialled dials again, and its queue is kept`, async () => {
      const listener = await rawListen();
      const socket = managed(make({ reconnectInterval: 20 }));
      const events = record(socket);
      socket.connect(listener.endpoint);
      const first = await listener.accept();
      await first.handshake({ type });
      await socket.connected({ timeout: 20_000 });
      first.reset();
      await events.next("disconnect");
      await socket.send("queued", { timeout: 1000 });
      const second = await listener.accept();
      await second.handshake({ type });
      expect(texts(await second.readMessage())).toEqual(["queued"]);
      second.write(message("back"));
      expect(await next(socket)).toEqual(["back"]);
    });
  });
}
