/** The page of metrics: its figures, its form by Prometheus' own tool, and that its counters never fall. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Pair, Publisher, Pull, Push, prometheusText, type Socket, Subscriber } from "../../src/index.js";
import { managed, temporaryDirectory, until, within } from "../support/helpers.js";

const hasTool = spawnSync("promtool", ["--version"]).status === 0;

/** The value of a line with these labels; undefined if there is none. */
function value(text: string, name: string, labels: Record<string, string>): number | undefined {
  const line = text.split("\n").find((one) => {
    if (!one.startsWith(`${name}{`)) return false;
    return Object.entries(labels).every(([label, wanted]) => one.includes(`${label}="${wanted}"`));
  });
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(" ") + 1));
}

/** Two Pairs over inproc, so that each endpoint has lines of its own. */
async function pairs(endpoint: string): Promise<[Pair, Pair]> {
  const [a, b] = [managed(new Pair()), managed(new Pair())];
  await a.bind(endpoint);
  b.connect(endpoint);
  await within(b.connected(), "connected");
  return [a, b];
}

describe("prometheusText", () => {
  it("has the figures of all sockets, by type and endpoint", async () => {
    const [push, pull] = [managed(new Push()), managed(new Pull())];
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    push.connect(endpoint);
    await push.sendMany(["1", "2", "3"]);
    await pull.receive();
    await until(() => pull.stats.receiveQueue === 2, "the rest arrived");
    const text = prometheusText();
    const [from, to] = [
      { type: "PUSH", endpoint },
      { type: "PULL", endpoint },
    ];
    expect(value(text, "zwire_messages_sent_total", from)).toBe(3);
    expect(value(text, "zwire_messages_received_total", to)).toBe(1);
    expect(value(text, "zwire_queue_depth", { ...to, queue: "receive" })).toBe(2);
    expect(value(text, "zwire_queue_bytes", { ...to, queue: "receive" })).toBe(pull.stats.receivedBytes);
    expect(value(text, "zwire_connections", to)).toBe(1);
    expect(value(text, "zwire_events_total", { ...to, event: "handshake" })).toBe(1);
    expect(value(text, "zwire_sockets", { type: "PUSH" })).toBe(1);
  });

  it("counts what a publisher drops", async () => {
    const publisher = managed(new Publisher({ sendHighWaterMark: 1 }));
    const subscriber = managed(new Subscriber({ receiveHighWaterMark: 1 }));
    const endpoint = "inproc://metrics-drops";
    await publisher.bind(endpoint);
    subscriber.subscribe("");
    subscriber.connect(endpoint);
    await publisher.waitForSubscribers(1);
    for (let i = 0; i < 10; i++) await publisher.send("x");
    const dropped = value(prometheusText(), "zwire_messages_dropped_total", { type: "PUB", endpoint });
    expect(dropped).toBe(publisher.stats.dropped);
    expect(dropped).toBeGreaterThan(0);
  });

  it("counts what was thrown away unread and unsent, also of sockets that are closed", async () => {
    const lost = (metric: string, type: string, endpoint: string) =>
      value(prometheusText(), `zwire_messages_dropped_${metric}_total`, { type, endpoint });
    const [push, pull] = [new Push({ linger: 0 }), new Pull()];
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    push.connect(endpoint);
    await push.sendMany(["1", "2", "3"]);
    await pull.receive();
    await until(() => pull.stats.receiveQueue === 2, "the rest arrived");
    expect(lost("unread", "PULL", endpoint)).toBe(0);
    await pull.close();
    expect(lost("unread", "PULL", endpoint)).toBe(2);
    await until(() => push.stats.peers === 0, "the peer is gone");
    await push.sendMany(["4", "5"]);
    expect(lost("unsent", "PUSH", endpoint)).toBe(0);
    await push.close();
    expect(lost("unsent", "PUSH", endpoint)).toBe(2);
    expect(lost("unread", "PUSH", endpoint)).toBe(0);
  });

  it("counts conflated messages and last values", async () => {
    const publisher = managed(new Publisher({ lastValue: true, lastValueTopics: 2 }));
    const subscriber = managed(new Subscriber({ conflatePerTopic: true }));
    const endpoint = await publisher.bind("tcp://127.0.0.1:*");
    subscriber.subscribe("");
    subscriber.connect(endpoint);
    await publisher.waitForSubscribers(1);
    for (const topic of ["a", "a", "a", "b", "c"]) await publisher.send([topic, "x"]);
    await until(() => subscriber.stats.receiveQueue === 3, "all topics arrived");
    const text = prometheusText();
    expect(value(text, "zwire_messages_conflated_total", { type: "SUB", endpoint })).toBe(2);
    expect(value(text, "zwire_messages_conflated_total", { type: "PUB", endpoint })).toBe(0);
    expect(value(text, "zwire_last_values", { type: "PUB", endpoint })).toBe(2);
    expect(value(text, "zwire_last_values_evicted_total", { type: "PUB", endpoint })).toBe(1);
  });

  it.skipIf(!hasTool)("passes promtool check metrics (skipped without promtool)", async () => {
    const pull = managed(new Pull());
    await pull.bind(`ipc://${join(temporaryDirectory(), 'a"b\\c.sock')}`);
    const text = prometheusText({ labels: { service: 'x"y\\z\nnext' } });
    const checked = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
    expect([checked.status, checked.stderr, checked.stdout]).toEqual([0, "", ""]);
    expect(text).toContain('a\\"b\\\\c.sock"');
    expect(text).toContain('service="x\\"y\\\\z\\nnext"');
  });

  it("keeps what closed sockets have counted", async () => {
    const endpoint = "inproc://metrics-closed";
    const sent = () => value(prometheusText(), "zwire_messages_sent_total", { type: "PAIR", endpoint });
    const [a, b] = await pairs(endpoint);
    await b.send("1");
    await a.receive();
    expect(sent()).toBe(1);
    await b.send("2");
    await b.close();
    expect(sent()).toBe(2);
    const c = managed(new Pair());
    c.connect(endpoint);
    await c.send("3");
    expect(sent()).toBe(3);
    expect(value(prometheusText(), "zwire_events_total", { endpoint, event: "end" })).toBe(1);
  });

  it("counts a socket that came and went between two readings", async () => {
    prometheusText();
    const endpoint = "inproc://metrics-short";
    const [a, b] = await pairs(endpoint);
    await b.send("1");
    await a.receive();
    await Promise.all([a.close(), b.close()]);
    const text = prometheusText();
    expect(value(text, "zwire_messages_sent_total", { type: "PAIR", endpoint })).toBe(1);
    expect(value(text, "zwire_messages_received_total", { type: "PAIR", endpoint })).toBe(1);
    expect(value(text, "zwire_connections", { type: "PAIR", endpoint })).toBe(0);
  });

  it("keeps what a socket has counted that was forgotten without being closed", async () => {
    const endpoint = "inproc://metrics-forgotten";
    const sent = () => value(prometheusText(), "zwire_messages_sent_total", { type: "PUSH", endpoint });
    const pull = managed(new Pull());
    await pull.bind(endpoint);
    await (async () => {
      const push = new Push();
      push.connect(endpoint);
      await push.send("1");
      expect(sent()).toBe(1);
      push.disconnect(endpoint);
    })();
    await until(() => {
      (globalThis as unknown as { gc(): void }).gc();
      return value(prometheusText(), "zwire_sockets", { type: "PUSH" }) === undefined;
    }, "collected");
    expect(sent()).toBe(1);
  });

  it("shows only given sockets, with their own figures", async () => {
    const [a] = await pairs("inproc://metrics-given");
    const text = prometheusText({ sockets: [a] });
    expect(value(text, "zwire_sockets", { type: "PAIR" })).toBe(1);
    expect(text.match(/^zwire_connections\{/gm)).toHaveLength(1);
    expect(value(text, "zwire_connections", { endpoint: "inproc://metrics-given" })).toBe(1);
  });

  it("has at most 200 different endpoints, and adds the others up", async () => {
    const sockets = Array.from({ length: 230 }, () => managed(new Pull()));
    await Promise.all(sockets.map((socket, i) => socket.bind(`inproc://metrics-many-${i}`)));
    const text = prometheusText();
    const lines = text.match(/^zwire_connections\{.*$/gm) ?? [];
    expect(lines.length).toBeGreaterThan(200);
    // One line of others for each type at most.
    expect(lines.length).toBeLessThan(220);
    expect(
      value(text, "zwire_events_total", { type: "PULL", endpoint: "other", event: "bind" }),
    ).toBeGreaterThan(30);
    expect(prometheusText().length).toBeLessThan(text.length * 1.1);
  });

  it("refuses labels and sockets that are none", () => {
    const text = (options: object) => () => prometheusText(options);
    expect(text({ label: {} })).toThrow('prometheusText has no option "label"; it has sockets, labels');
    expect(text(null as unknown as object)).toThrow("options must be an object; got null");
    expect(text({ labels: { "a-b": "x" } })).toThrow('labels: the name "a-b" is not allowed by Prometheus');
    expect(text({ labels: { __a: "x" } })).toThrow(TypeError);
    expect(text({ labels: { type: "x" } })).toThrow('the name "type" is one that lines have already');
    expect(text({ labels: { a: 1 } })).toThrow("labels.a must be a string; got number");
    expect(text({ sockets: [null] })).toThrow("sockets must be sockets of zwire; got null");
    expect(text({ sockets: [{}] as unknown as Socket[] })).toThrow(TypeError);
  });
});
