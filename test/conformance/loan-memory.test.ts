/** The memory for loans: its bounds, who has it, and how it comes back. Native engine on Linux. */
import { describe, expect, it } from "vitest";
import { Dealer, Publisher, Push, Router, Subscriber } from "../../src/index.js";
import { managed, rawDial, settled, TRANSPORTS, turns, until } from "../support/helpers.js";
import { back, filled, KIB, lending, loan, MIB } from "../support/loans.js";
import { pair } from "../support/pairs.js";
import { command } from "../support/raw-peer.js";
import { CAN, mappings } from "../support/shared-memory.js";

const ipc = TRANSPORTS[1].endpoint;

describe.runIf(CAN)("the memory for loans", () => {
  it("is bounded by maxLoanedBytes: above it loans are ordinary memory, and are copied", async () => {
    const { push, pull } = await pair(ipc(), { maxLoanedBytes: 4 * MIB });
    await lending(push, pull, MIB);
    const messages = [];
    for (let i = 0; i < 8; i++) {
      await push.send(loan(push, MIB, i));
      messages.push(await pull.borrow());
    }
    expect(push.stats.loanedBytes).toBe(4 * MIB);
    expect(push.stats.loansCopied).toBe(4);
    for (const [i, message] of messages.entries()) expect(message[0].equals(filled(MIB, i))).toBe(true);
    for (const message of messages) message.release();
    await back(push);
    expect(push.loan(5 * MIB).length).toBe(5 * MIB);
    expect(push.stats.loansCopied).toBe(5);
  });

  it("is awaited by nextLoan(), with time-out, signal and close", async () => {
    const push = managed(new Push({ maxLoanedBytes: MIB }));
    const first = await push.nextLoan(MIB);
    const waiting = push.nextLoan(MIB);
    await turns(3);
    expect(await settled(waiting)).toBe(false);
    await expect(push.nextLoan(MIB, { timeout: 10 })).rejects.toMatchObject({ code: "EAGAIN" });
    await expect(push.nextLoan(MIB, { signal: AbortSignal.abort(new Error("no")) })).rejects.toThrow("no");
    first.release();
    (await waiting).release();
    // More than could ever be lent is ordinary memory at once.
    expect((await push.nextLoan(2 * MIB)).length).toBe(2 * MIB);
    const last = await push.nextLoan(MIB);
    const never = push.nextLoan(MIB);
    await Promise.all([push.close(), expect(never).rejects.toMatchObject({ code: "EBADF" })]);
    expect(last.fill(1).length).toBe(MIB);
  });

  it("serves other sizes when those before are back", async () => {
    const push = managed(new Push({ maxLoanedBytes: 8 * MIB }));
    for (const size of [64 * KIB, 300_000, MIB, 5 * MIB, 20_000, 8 * MIB]) {
      const loans = [push.loan(size)];
      while (push.stats.loanedBytes + size * 1.2 < 8 * MIB) loans.push(push.loan(size));
      expect(push.stats.loansCopied).toBe(0);
      for (const part of loans) part.fill(1).release();
    }
    expect(push.stats.loanedBytes).toBe(0);
  });

  it("is shared by all subscribers, and back when the last has given it back", async () => {
    const publisher = managed(new Publisher());
    const endpoint = await publisher.bind(ipc());
    const subscribers = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const subscriber = managed(new Subscriber());
        subscriber.subscribe("");
        subscriber.connect(endpoint);
        return subscriber;
      }),
    );
    await publisher.waitForSubscribers(8);
    let messages = [];
    for (let i = 0; ; i++) {
      await publisher.send(loan(publisher, MIB, i));
      messages = await Promise.all(subscribers.map((subscriber) => subscriber.borrow()));
      for (const message of messages) expect(message[0].equals(filled(MIB, i))).toBe(true);
      if (subscribers.every(({ stats }) => stats.borrowedBytes > 0)) break;
      for (const message of messages) message.release();
      await turns(2);
    }
    await until(() => publisher.stats.loanedBytes === MIB, "one copy to be out");
    expect(publisher.loans).toHaveLength(8);
    for (const message of messages.slice(1)) message.release();
    await until(() => publisher.loans.length === 1, "all but one to be back");
    expect(publisher.stats.loanedBytes).toBe(MIB);
    messages[0].release();
    await until(() => publisher.stats.loanedBytes === 0, "the last to be back");
  });

  it("is never written again while somebody who has left may look at it", async () => {
    const { push, pull } = await pair(ipc(), { maxLoanedBytes: 2 * MIB, linger: 0 });
    await lending(push, pull);
    await push.send(loan(push, 256 * KIB, 40));
    const message = await pull.borrow();
    expect(pull.stats.borrowedBytes).toBe(256 * KIB);
    const unread = push.send(loan(push, 256 * KIB, 41));
    await unread;
    push.disconnect(push.lastEndpoint as string);
    await until(() => pull.stats.peers === 0, "the end of the connection");
    for (let i = 0; i < 50; i++)
      push
        .loan(256 * KIB)
        .fill(0xee)
        .release();
    expect(message[0].equals(filled(256 * KIB, 40))).toBe(true);
    message.release();
    const next = await pull.borrow({ timeout: 20_000 });
    expect(next[0].equals(filled(256 * KIB, 41))).toBe(true);
    next.release();
  });

  it("holds at most maxBorrowedBytes at a receiver that gives nothing back: further parts are copied", async () => {
    const { push, pull } = await pair(ipc(), {}, { maxBorrowedBytes: MIB });
    await lending(push, pull);
    const messages = [];
    for (let i = 0; i < 12; i++) {
      await push.send(loan(push, 256 * KIB, i));
      messages.push(await pull.borrow());
    }
    expect(pull.stats.borrowedBytes).toBe(MIB);
    await until(() => push.stats.loanedBytes === MIB, "the copied ones to be back");
    for (const [i, message] of messages.entries()) expect(message[0].equals(filled(256 * KIB, i))).toBe(true);
  });

  it("comes back from messages that a newer one replaces (conflate)", async () => {
    const options = { conflate: true };
    const { push, pull } = await pair(ipc(), {}, options);
    await lending(push, pull);
    for (let i = 0; i < 30; i++) await push.send(loan(push, 256 * KIB, i));
    await until(() => push.stats.outboundQueue === 0, "all to be sent");
    await until(() => push.stats.loanedBytes <= 256 * KIB, "all but the newest to be back");
    const newest = await pull.borrow();
    expect(newest[0].equals(filled(256 * KIB, 29))).toBe(true);
    newest.release();
    await back(push);
  });

  it("is mapped once by a peer, and unmapped with the sockets", async () => {
    const before = mappings("zwire-loans");
    const { push, pull } = await pair(ipc());
    await lending(push, pull);
    // Ours, and what the peer maps of it, in one process here.
    expect(mappings("zwire-loans")).toBe(before + 2);
    for (let i = 0; i < 100; i++) {
      await push.send(loan(push, 256 * KIB, i));
      (await pull.borrow()).release();
    }
    expect(mappings("zwire-loans")).toBe(before + 2);
    await Promise.all([push.close(), pull.close()]);
    await until(() => mappings("zwire-loans") === before, "both to be unmapped");
  });

  it("works both ways at once, with more than one part, between Dealer and Router", async () => {
    const router = managed(new Router());
    const dealer = managed(new Dealer());
    dealer.connect(await router.bind(ipc()));
    for (let i = 0; i < 60; i++) {
      await dealer.send(["to", loan(dealer, 100_000, i)]);
      const asked = await router.borrow();
      expect(asked[2].equals(filled(100_000, i))).toBe(true);
      const answer = router.loan(200_000).fill(i + 1);
      await router.send([asked[0], answer, asked[2]]);
      asked.release();
      const answered = await dealer.borrow();
      expect(answered[0].equals(filled(200_000, i))).toBe(true);
      expect(answered[1].equals(filled(100_000, i))).toBe(true);
      answered.release();
    }
    await until(() => dealer.stats.loanedBytes + router.stats.loanedBytes === 0, "all to be back");
  });
});

describe.runIf(CAN)("loans that are dropped", () => {
  it("come back from a subscriber that does not read, with onFull: dropOldest", async () => {
    const publisher = managed(new Publisher({ sendHighWaterMark: 5, onFull: "dropOldest" }));
    const peer = await rawDial(await publisher.bind("tcp://127.0.0.1:*"));
    await peer.handshake({ type: "SUB" });
    peer.write(command("SUBSCRIBE", ""));
    await publisher.waitForSubscribers(1);
    peer.pause();
    for (let i = 0; i < 100; i++) await publisher.send(loan(publisher, MIB, i));
    await turns(5);
    expect(publisher.stats.dropped).toBeGreaterThan(50);
    expect(publisher.stats.loanedBytes).toBeLessThanOrEqual(30 * MIB);
    expect(publisher.stats.loansCopied).toBe(0);
  });

  it("come back from a message of many parts that nobody wants, and from one that is never read", async () => {
    const publisher = managed(new Publisher());
    const subscriber = managed(new Subscriber());
    subscriber.subscribe("a");
    subscriber.connect(await publisher.bind(ipc()));
    await publisher.waitForSubscribers(1);
    const parts = () => Array.from({ length: 20 }, () => loan(publisher, 20_000, 1));
    for (let i = 0; i < 5; i++) {
      await publisher.send(["a", ...parts()]);
      (await subscriber.borrow()).release();
    }
    await until(() => publisher.stats.loanedBytes === 0, "all to be back");
    await publisher.send(["a", ...parts()]);
    subscriber.unsubscribe("a");
    await until(
      () => publisher.stats.loanedBytes === 0 || subscriber.stats.receiveQueue === 1,
      "it to arrive",
    );
    expect(subscriber.tryBorrow()).toBeUndefined();
    await subscriber.close();
    await until(() => publisher.stats.loanedBytes === 0, "all to be back");
  });
});
