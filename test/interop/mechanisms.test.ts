/**
 * PLAIN and CURVE with libzmq: either side as the server, either side dialling. libzmq's servers ask a ZAP handler of its
 * own, as they must.
 */
import { beforeAll, describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { Dealer, Subscriber, XPublisher } from "../../src/index.js";
import { ANY, bound, foreign, patiently, read } from "../support/foreign.js";
import { managed, record, temporaryDirectory, texts } from "../support/helpers.js";
import {
  CLIENT,
  CURVE_CLIENT,
  CURVE_SERVER,
  Judge,
  PLAIN_SERVER,
  plainClient,
  SERVER,
  secure,
  verdict,
} from "../support/secured.js";

const Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/** Z85 as RFC 32 says it. */
function z85(octets: Buffer): string {
  let text = "";
  for (let at = 0; at < octets.length; at += 4) {
    let value = octets.readUInt32BE(at);
    let group = "";
    for (let i = 0; i < 5; i++, value = Math.floor(value / 85)) group = Z85[value % 85] + group;
    text += group;
  }
  return text;
}

const CURVE = {
  server: { curveServer: true, curvePublicKey: z85(SERVER.publicKey), curveSecretKey: z85(SERVER.secretKey) },
  client: {
    curvePublicKey: z85(CLIENT.publicKey),
    curveSecretKey: z85(CLIENT.secretKey),
    curveServerKey: z85(SERVER.publicKey),
  },
};
const PLAIN = {
  server: { plainServer: true, zapDomain: "test" },
  client: { plainUsername: "ann", plainPassword: "right" },
};

/** The addresses that libzmq's ZAP handler was asked about. */
const addresses: string[] = [];

/** Answers libzmq's ZAP requests: one for all tests, because libzmq lets go of the name only some time after a close. */
beforeAll(() => {
  const handler = new zmq.Router();
  handler.bindSync("inproc://zeromq.zap.01");
  (async () => {
    for await (const [peer, , version, id, , address, , mechanism, ...credentials] of handler) {
      addresses.push(String(address));
      const known = String(mechanism) !== "PLAIN" || credentials.map(String).join() === "ann,right";
      await handler.send([peer, "", version, id, known ? "200" : "400", "", "ann", ""]);
    }
  })();
  return () => handler.close();
});

const PARTS = [
  Buffer.alloc(0),
  Buffer.alloc(222, "a"),
  Buffer.alloc(70_000, "b"),
  Buffer.alloc(1_000_000, "c"),
];

/** Both ways, in all sizes. */
async function converse(ours: Dealer, theirs: zmq.Dealer): Promise<void> {
  for (let round = 0; round < 5; round++) {
    await ours.send([`${round}`, ...PARTS]);
    await theirs.send([`${round}`, ...PARTS]);
    for (const received of [await patiently(theirs), await ours.receive()]) {
      expect(received[0].toString()).toBe(`${round}`);
      expect(PARTS.every((part, i) => received[i + 1].equals(part))).toBe(true);
    }
  }
}

describe.each([
  ["PLAIN", PLAIN, PLAIN_SERVER, plainClient("ann", "right")],
  ["CURVE", CURVE, CURVE_SERVER, CURVE_CLIENT],
] as const)("%s with libzmq", (_, foreignOptions, ourServer, ourClient) => {
  const judge = new Judge((request) =>
    verdict(request.mechanism !== "PLAIN" || request.password === "right" ? 200 : 400),
  );

  it.each(["we dial", "libzmq dials"])("libzmq is the server, %s (O1, O2, P1, P7, P9)", async (who) => {
    const ours = secure(managed(new Dealer()), ourClient);
    const theirs = foreign(new zmq.Dealer(foreignOptions.server));
    if (who === "we dial") ours.connect(await bound(theirs));
    else theirs.connect(await ours.bind(ANY));
    await converse(ours, theirs);
  });

  it.each(["we dial", "libzmq dials"])("we are the server, %s (O1, O2, P3, P6, P9)", async (who) => {
    const ours = secure(managed(new Dealer()), ourServer, judge);
    const theirs = foreign(new zmq.Dealer(foreignOptions.client));
    if (who === "we dial") ours.connect(await bound(theirs));
    else theirs.connect(await ours.bind(ANY));
    await converse(ours, theirs);
  });
});

describe("CURVE with libzmq", () => {
  it("subscriptions and heartbeats, both ways round (P10, P11, F19)", async () => {
    const options = { heartbeatInterval: 50, heartbeatTimeout: 5000 };
    const xpub = secure(managed(new XPublisher(options)), CURVE_SERVER);
    const theirs = foreign(new zmq.Subscriber({ ...CURVE.client, ...options }));
    theirs.subscribe("t");
    theirs.connect(await xpub.bind(ANY));
    expect(texts(await xpub.receive())).toEqual(["\x01t"]);
    await xpub.send("t1");
    expect(await read(theirs)).toEqual(["t1"]);

    const theirPublisher = foreign(new zmq.XPublisher({ ...CURVE.server, ...options }));
    const ours = secure(managed(new Subscriber(options)), CURVE_CLIENT);
    ours.subscribe("u");
    ours.connect(await bound(theirPublisher));
    expect(await read(theirPublisher)).toEqual(["\x01u"]);
    await theirPublisher.send("u1");
    expect(texts(await ours.receive())).toEqual(["u1"]);
  });
});

describe("refusals between libzmq and us", () => {
  it("libzmq's misspelt ERROR is a refusal, and ends the dialling (O7, D3)", async () => {
    const theirs = foreign(new zmq.Dealer(PLAIN.server));
    const ours = secure(managed(new Dealer({ reconnectInterval: 10 })), plainClient("ann", "wrong"));
    const events = record(ours);
    ours.connect(await bound(theirs));
    const { error } = await events.next("handshake:error:auth");
    expect(error).toMatchObject({ code: "authentication-refused", zmqCode: 400 });
    await events.next("close");
  });

  it("we refuse libzmq's client, and it does not get through (O6, Q9)", async () => {
    const ours = secure(managed(new Dealer()), PLAIN_SERVER, new Judge(() => verdict(400)));
    const events = record(ours);
    const theirs = foreign(new zmq.Dealer(PLAIN.client));
    theirs.connect(await ours.bind(ANY));
    await events.next("handshake:error:auth");
    expect(events.of("handshake").length).toBe(0);
  });

  it("the address of an ipc peer reads as libzmq's ZAP request has it (Q6)", async () => {
    const judge = new Judge(() => verdict(200));
    const ours = secure(managed(new Dealer()), PLAIN_SERVER, judge);
    const foreignClient = foreign(new zmq.Dealer(PLAIN.client));
    foreignClient.connect(await ours.bind("ipc://*"));
    await foreignClient.send("x");
    await ours.receive();
    const theirs = foreign(new zmq.Dealer(PLAIN.server));
    const endpoint = `ipc://${temporaryDirectory()}/s`;
    await theirs.bind(endpoint);
    const client = secure(managed(new Dealer()), plainClient("ann", "right"));
    client.connect(endpoint);
    await client.send("x");
    await patiently(theirs);
    const expected =
      process.env.ZWIRE_ENGINE === "native" ? addresses.at(-1) : addresses.at(-1)?.split(":")[0];
    expect(judge.requests[0].address).toBe(expected);
  });
});
