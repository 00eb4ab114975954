/**
 * Peers of ZMTP 2.0: the real JeroMQ 0.3.6 (Debian's libjeromq-java) in every type, whoever binds (A10, A18 to A20).
 * The wire to the byte is in test/conformance/legacy.test.ts.
 */
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import {
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  type Socket,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "../../src/index.js";
import { freePort, managed, record, temporaryDirectory } from "../support/helpers.js";
import { hasJava, type JeromqJob, JeromqPeer, startJava } from "../support/java.js";

const soon = { timeout: 20_000 };
const COUNT = 4;
const SIZES = [0, 255, 256, 100_000];
const RUNS = hasJava("jeromq");
const LOG4J = ["jeromq", "log4j-api", "log4j-core"];

/** A message as JeromqPeer makes it. */
function parts(topic: string, i: number): string[] {
  return [`${topic}${i}`, "", "x".repeat(SIZES[i % SIZES.length])];
}

/** As JeromqPeer tells it. */
function told(message: readonly (string | Buffer)[]): string {
  return message.map((part) => (part.length > 100 ? `${part.length}` : part.toString())).join("|");
}

const all = (topic: string): string[] => Array.from({ length: COUNT }, (_, i) => told(parts(topic, i)));

type Receives = Socket & { receive(options: object): Promise<Buffer[]> };
type Sends = Socket & { send(message: string[], options: object): Promise<void> };

async function receives(socket: Receives, topic: string): Promise<void> {
  const got: string[] = [];
  while (got.length < COUNT) got.push(told(await socket.receive(soon)));
  expect(got).toEqual(all(topic));
}

async function sends(socket: Sends, topic: string): Promise<void> {
  for (let i = 0; i < COUNT; i++) await socket.send(parts(topic, i), soon);
}

/** Both ways: the peer says everything back. */
async function echoes(socket: Sends & Receives, job: JeromqJob): Promise<void> {
  await sends(socket, "e");
  await receives(socket, "e");
  await job.done();
}

/** What the peer is, what we are, and how the two talk. */
const CASES: readonly [
  theirs: string,
  make: () => Socket,
  talk: (ours: never, job: JeromqJob) => Promise<void>,
][] = [
  ["PUSH", () => new Pull(), (pull: Pull) => receives(pull, "m")],
  [
    "PULL",
    () => new Push(),
    async (push: Push, job) => {
      await sends(push, "e");
      await job.done();
      expect(job.got).toEqual(all("e"));
    },
  ],
  ["PAIR", () => new Pair(), echoes],
  [
    "REQ",
    () => new Reply(),
    async (reply: Reply, job) => {
      for (let i = 0; i < COUNT; i++) {
        const question = await reply.receive(soon);
        expect(told(question)).toBe(told(parts("m", i)));
        await reply.send(question);
      }
      await job.done();
      expect(job.got).toEqual(all("m"));
    },
  ],
  [
    "REP",
    () => new Request({ routingId: "us" }),
    async (request: Request) => {
      for (let i = 0; i < COUNT; i++) {
        expect(told(await request.request(parts("e", i), soon))).toBe(told(parts("e", i)));
      }
    },
  ],
  [
    "DEALER",
    () => new Router({ mandatory: true }),
    async (router: Router, job) => {
      await router.connected(soon);
      expect(router.peers[0]).toMatchObject({ socketType: "DEALER", routingId: Buffer.from("java") });
      for (let i = 0; i < COUNT; i++) await router.send(["java", ...parts("e", i)]);
      for (let i = 0; i < COUNT; i++)
        expect(told(await router.receive(soon))).toBe(`java|${told(parts("e", i))}`);
      await job.done();
    },
  ],
  [
    "ROUTER",
    () => new Dealer({ routingId: "us" }),
    async (dealer: Dealer, job) => {
      await echoes(dealer, job);
      expect(job.got).toEqual(all("e").map((text) => `us|${text}`));
    },
  ],
  [
    "PUB",
    () => new Subscriber(),
    async (subscriber: Subscriber) => {
      subscriber.subscribe("t");
      const got = new Set<string>();
      while (got.size < COUNT) got.add(told(await subscriber.receive(soon)));
      expect([...got].sort()).toEqual(all("t").sort());
    },
  ],
  [
    "SUB",
    () => new Publisher(),
    async (publisher: Publisher, job) => {
      await publisher.waitForSubscribers(1, soon);
      await publisher.send(["other", "unwanted"]);
      await sends(publisher, "t");
      await job.done();
      expect(job.got).toEqual(all("t"));
    },
  ],
  [
    "XPUB",
    () => new XSubscriber(),
    async (subscriber: XSubscriber, job) => {
      await subscriber.send("\x01t");
      await receives(subscriber, "t");
      expect(job.got[0]).toBe("<01>t");
    },
  ],
  [
    "XSUB",
    () => new XPublisher(),
    async (publisher: XPublisher, job) => {
      expect(String(await publisher.receive(soon))).toBe("\x01t");
      await sends(publisher, "t");
      await job.done();
      expect(job.got).toEqual(all("t"));
    },
  ],
];

describe.skipIf(!RUNS)("JeroMQ 0.3.6, which speaks ZMTP 2.0", () => {
  let peer: JeromqPeer;
  beforeAll(() => {
    peer = new JeromqPeer();
  });
  afterAll(() => peer.stop());

  it.each(CASES)("its %s, which dials us, is served (A10)", async (theirs, make, talk) => {
    const ours = managed(make());
    const events = record(ours);
    const job = await peer.run(theirs, await ours.bind("tcp://127.0.0.1:*"), COUNT, "java");
    await talk(ours as never, job);
    expect(events.of("handshake:error:")).toEqual([]);
  });

  it.each(CASES)("its %s, which we dial, is served (A10)", async (theirs, make, talk) => {
    const ours = managed(make());
    const events = record(ours);
    const job = await peer.run(theirs, null, COUNT, "java");
    ours.connect(job.endpoint);
    await talk(ours as never, job);
    expect(events.of("handshake:error:")).toEqual([]);
  });
});

describe.skipIf(!hasJava(...LOG4J))("log4j's appender over JeroMQ 0.3.6", () => {
  it("30 of 30 lines arrive (A10)", async () => {
    const port = (await freePort()).split(":")[2];
    const folder = temporaryDirectory();
    const configuration = `${folder}/log4j2.xml`;
    writeFileSync(
      configuration,
      `<Configuration status="warn"><Appenders><JeroMQ name="wire">
        <Property name="endpoint">tcp://127.0.0.1:${port}</Property>
        <PatternLayout pattern="%m"/></JeroMQ></Appenders>
        <Loggers><Root level="info"><AppenderRef ref="wire"/></Root></Loggers></Configuration>`,
    );
    const child = startJava("Log4jPeer.java", LOG4J, ["30"], [`-Dlog4j2.configurationFile=${configuration}`]);
    onTestFinished(() => void child.kill("SIGKILL"));
    const subscriber = managed(new Subscriber({ reconnectInterval: 20 }));
    subscriber.subscribe();
    subscriber.connect(`tcp://127.0.0.1:${port}`);
    expect(String(await subscriber.receive({ timeout: 60_000 }))).toBe("probe");
    child.stdin!.write("go\n");
    const lines: string[] = [];
    while (lines.length < 30) {
      const line = String(await subscriber.receive(soon));
      if (line !== "probe") lines.push(line);
    }
    expect(lines).toEqual(Array.from({ length: 30 }, (_, i) => `line ${i + 1}`));
  });
});
